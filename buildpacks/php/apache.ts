import type { RunStep } from "../../src/engine/build/plan.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { run } from "../steps.ts";

/** Everything that Apache writes lies in /tmp, so that it runs without root on a read-only root. */
function site(root: string): string[] {
  const directory = root === "." ? "/app" : `/app/${root}`;
  return [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Apache reads its environment
    "Listen ${PORT}",
    "ServerName localhost",
    "Mutex file:/tmp default",
    `DocumentRoot ${directory}`,
    "ErrorLog /dev/stderr",
    `<Directory ${directory}>`,
    "  AllowOverride All",
    "  Require all granted",
    "  FallbackResource /index.php",
    "</Directory>",
    '<DirectoryMatch "/\\.(?!well-known)">',
    "  Require all denied",
    "</DirectoryMatch>",
  ];
}

/** Directories that exist on every root, however it is mounted. */
export const APACHE_ENVIRONMENT = {
  APACHE_RUN_DIR: "/tmp",
  APACHE_LOCK_DIR: "/tmp",
  APACHE_PID_FILE: "/tmp/apache2.pid",
};

/** Puts the site in the place of the image's own, and takes away its fixed ports. */
export function apacheStep(root: string): RunStep {
  const lines = site(root).map(quote).join(" \\\n    ");
  const enabled = "/etc/apache2/sites-enabled/000-default.conf";
  const line = `printf '%s\\n' \\\n    ${lines} \\\n    > ${enabled} && : > /etc/apache2/ports.conf && a2enmod rewrite`;
  return run(line, `index.php in ${root === "." ? "the root" : root}`);
}

/** Starts Apache, on the directories in memory that the site writes to. */
export function apacheCommand(scratch: string[]): string[] {
  return scratch.length === 0
    ? ["apache2-foreground"]
    : ["sh", "-c", `mkdir -p ${scratch.join(" ")} && exec apache2-foreground`];
}

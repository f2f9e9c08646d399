import type { BuildPlan, Choice, Stage } from "../../src/engine/build/plan.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { FILES_PATH, FILES_STAGE } from "../../src/engine/build/static-files.ts";

export const FILES_IMAGE = "nginx:1.28-bookworm";

/** Port and every writable path lie outside the root. */
const NGINX_CONF = [
  "worker_processes 1;",
  "pid /tmp/nginx.pid;",
  "error_log stderr warn;",
  "events { worker_connections 1024; }",
  "http {",
  "  include /etc/nginx/mime.types;",
  "  default_type application/octet-stream;",
  "  charset utf-8;",
  "  sendfile on;",
  "  tcp_nopush on;",
  "  server_tokens off;",
  "  absolute_redirect off;",
  "  gzip_static on;",
  "  gzip_vary on;",
  "  access_log off;",
  "  client_body_temp_path /tmp/body;",
  "  proxy_temp_path /tmp/proxy;",
  "  fastcgi_temp_path /tmp/fastcgi;",
  "  uwsgi_temp_path /tmp/uwsgi;",
  "  scgi_temp_path /tmp/scgi;",
  "  server {",
  "    listen LISTEN_PORT;",
  "    root /srv;",
  "    index index.html;",
  "    error_page 403 404 =404 /404.html;",
  "    location ~ /\\.(?!well-known/) { return 404; }",
  "    location / { try_files TRY_FILES; }",
  "  }",
  "}",
];

const START =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  'sed "s/LISTEN_PORT/${PORT:-8080}/" /etc/nginx/files.conf > /tmp/nginx.conf && exec nginx -e stderr -c /tmp/nginx.conf -g "daemon off;"';

const COMPRESSED = ["html", "css", "js", "mjs", "json", "svg", "xml", "txt", "wasm", "webmanifest", "map"];
const NAMES = COMPRESSED.map((extension) => `-name '*.${extension}'`).join(" -o ");

export interface Files {
  root: Choice<string>;
  spa: Choice<boolean>;
  /** Stage that holds the files, and their absolute path in it. */
  stage: string;
  path: string;
}

/** Ends a plan in a file tree, which the data plane serves, and in an image for apps that want a container. */
export function serveFiles(plan: BuildPlan, files: Files): void {
  plan.static = { root: files.root, index: "index.html", spa: files.spa };
  plan.run_image = { value: FILES_IMAGE, from: "static files" };
  plan.processes.web = { command: ["sh", "-c", START], from: "static files" };
  plan.stages.push(filesStage(files), runStage(files.spa.value));
}

/** Nothing but the files: what the data plane gets. */
function filesStage({ stage, path }: Files): Stage {
  return {
    name: FILES_STAGE,
    from: "scratch",
    purpose: "The site: nothing but files",
    env: {},
    steps: [
      stage === ""
        ? { type: "copy", paths: [path], to: FILES_PATH }
        : { type: "take", stage, path, to: FILES_PATH },
    ],
  };
}

function runStage(spa: boolean): Stage {
  // A page in a directory needs the slash at the end: its relative links start there.
  const fallback = spa ? "$uri $uri/index.html /index.html" : "$uri $uri/ $uri.html =404";
  const lines = NGINX_CONF.map((line) => quote(line.replace("TRY_FILES", fallback)));
  return {
    name: "run",
    from: FILES_IMAGE,
    purpose: "Serves the files on $PORT, without root",
    env: {},
    steps: [
      {
        type: "run",
        command: {
          value: `printf '%s\\n' \\\n    ${lines.join(" \\\n    ")} \\\n    > /etc/nginx/files.conf`,
          from: spa ? "because it is a single page app: unknown paths get index.html" : "for plain files",
        },
        caches: {},
        mounts: [],
        secrets: false,
      },
      { type: "take", stage: FILES_STAGE, path: "/srv", to: "/srv" },
      {
        type: "run",
        command: {
          value: `find /srv -type f -size +1k \\( ${NAMES} \\) -exec gzip -9 -n -k -f {} +`,
          from: "for gzip_static of nginx",
        },
        caches: {},
        mounts: [],
        secrets: false,
      },
    ],
  };
}

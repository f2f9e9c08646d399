import type { Choice } from "../../src/engine/build/plan.ts";

/** Extensions that the official image builds from its own sources, and the libraries they need. */
const BUILT: Record<string, string[]> = {
  bcmath: [],
  calendar: [],
  exif: [],
  gd: ["libpng-dev", "libjpeg62-turbo-dev", "libfreetype6-dev", "libwebp-dev"],
  gettext: [],
  gmp: ["libgmp-dev"],
  intl: ["libicu-dev"],
  mysqli: [],
  opcache: [],
  pcntl: [],
  pdo_mysql: [],
  pdo_pgsql: ["libpq-dev"],
  pgsql: ["libpq-dev"],
  soap: ["libxml2-dev"],
  sockets: [],
  xsl: ["libxslt1-dev"],
  zip: ["libzip-dev"],
};

/** Extensions that come by pecl. */
const PECL: Record<string, string[]> = {
  apcu: [],
  imagick: ["libmagickwand-dev"],
  mongodb: ["libssl-dev"],
  redis: [],
};

const LARAVEL = ["bcmath", "opcache", "pcntl", "pdo_mysql", "pdo_pgsql", "zip"];

/** How the extensions get into the image; the official one has the common ones already. */
export function extensionPlan(
  wanted: string[],
  laravel: boolean,
): { packages: Choice<string[]>; command: Choice<string> | null } {
  const names = [...new Set([...wanted, ...(laravel ? LARAVEL : [])])].sort();
  const built = names.filter((name) => name in BUILT);
  const pecl = names.filter((name) => name in PECL);
  const from = laravel ? "ext-* in composer.json, and what Laravel uses" : "ext-* in composer.json";
  const lines = [
    ...(built.length > 0 ? [`docker-php-ext-install -j"$(nproc)" ${built.join(" ")}`] : []),
    ...(pecl.length > 0 ? [`pecl install ${pecl.join(" ")}`, `docker-php-ext-enable ${pecl.join(" ")}`] : []),
  ];
  const packages = [...built.flatMap((name) => BUILT[name]!), ...pecl.flatMap((name) => PECL[name]!)];
  return {
    packages: { value: packages, from },
    command: lines.length === 0 ? null : { value: lines.join(" && \\\n    "), from },
  };
}

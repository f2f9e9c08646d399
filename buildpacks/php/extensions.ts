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

/** Libraries that an extension has to be told of. */
const CONFIGURED: Record<string, string> = { gd: "--with-freetype --with-jpeg --with-webp" };

/** How the extensions get into the image; the official one has the common ones already. */
export function extensionPlan(
  wanted: Choice<string[]>,
  php: string,
): { packages: Choice<string[]>; command: Choice<string> | null } {
  // OPcache is part of PHP since 8.5.
  const isThere = (name: string) => name === "opcache" && Number(php) >= 8.5;
  const names = [...new Set(wanted.value)].filter((name) => !isThere(name)).sort();
  const built = names.filter((name) => name in BUILT);
  const pecl = names.filter((name) => name in PECL);
  const configured = built.filter((name) => name in CONFIGURED);
  const lines = [
    ...configured.map((name) => `docker-php-ext-configure ${name} ${CONFIGURED[name]}`),
    ...(built.length > 0 ? [`docker-php-ext-install -j"$(nproc)" ${built.join(" ")}`] : []),
    ...(pecl.length > 0 ? [`pecl install ${pecl.join(" ")}`, `docker-php-ext-enable ${pecl.join(" ")}`] : []),
  ];
  const packages = [...built.flatMap((name) => BUILT[name]!), ...pecl.flatMap((name) => PECL[name]!)];
  return {
    packages: { value: packages, from: wanted.from },
    command: lines.length === 0 ? null : { value: lines.join(" && \\\n    "), from: wanted.from },
  };
}

import type { Choice, Step } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { run, runTheirs } from "../steps.ts";
import type { Composer } from "./composer.ts";

/** What a framework needs beside its files and packages. */
export interface PhpFramework {
  choice: Choice<string>;
  env: Record<string, string>;
  /** Extensions that its packages use without asking for them. */
  extensions: string[];
  /** Once the tree and its packages are there. */
  build: Step[];
  /** Directories in memory that have to be there before it starts. */
  scratch: string[];
  warnings: string[];
}

const DATABASES = ["pdo_mysql", "pdo_pgsql"];

/** Composer's packages of WordPress (roots.io/bedrock and those before it). */
const WORDPRESS = ["roots/wordpress", "roots/wordpress-no-content", "johnpbloch/wordpress"];

/** Laravel, Symfony or WordPress; null for plain files and others. */
export async function phpFramework(
  tree: SourceTree,
  composer: Composer | null,
  releaseCommand: string | null,
): Promise<PhpFramework | null> {
  if (await tree.has("artisan")) return laravel(releaseCommand);
  if (await tree.has("wp-settings.php")) return wordPress("wp-settings.php", await tree.has("wp-config.php"));
  const wordpress = WORDPRESS.find((name) => composer?.requires.has(name));
  if (wordpress !== undefined) return wordPress(`${wordpress} in composer.json`, true);
  const isSymfony = composer?.requires.has("symfony/framework-bundle") ?? false;
  return isSymfony ? symfony(composer!, await tree.has("bin/console")) : null;
}

/** Its themes and plugins come with the repository; what people upload needs a place that stays. */
function wordPress(from: string, isConfigured: boolean): PhpFramework {
  const warnings = [
    "Uploads need a volume at the site's wp-content/uploads, or a plugin for S3: the rest of the image is read-only.",
  ];
  if (!isConfigured)
    warnings.push(
      "There is no wp-config.php, and WordPress cannot write it here: add one that reads the database by getenv().",
    );
  return {
    choice: { value: "WordPress", from },
    env: {},
    extensions: ["exif", "gd", "intl", "mysqli", "opcache", "zip"],
    build: [],
    scratch: [],
    warnings,
  };
}

/** What Laravel writes goes to memory, its log to the container's; uploads stay where a volume can keep them. */
function laravel(releaseCommand: string | null): PhpFramework {
  const kept = "storage/app/public";
  const link = [
    "rm -rf bootstrap/cache storage/framework storage/logs",
    "ln -s /tmp/bootstrap bootstrap/cache",
    `mkdir -p ${kept}`,
    "ln -s /tmp/framework storage/framework",
    "ln -s /tmp/logs storage/logs",
    "ln -sfn ../storage/app/public public/storage",
    "chown -R 1000:1000 storage/app",
  ];
  const warnings = [
    "Laravel needs APP_KEY in its config: `php artisan key:generate --show` prints one.",
    "Uploads below storage/app need a volume at /app/storage/app, or another disk such as S3: the rest of the image is read-only.",
  ];
  if (releaseCommand === null)
    warnings.push(
      "Migrations are not run: a Procfile with `release: php artisan migrate --force` runs them before each release.",
    );
  return {
    choice: { value: "Laravel", from: "artisan" },
    env: {
      APP_ENV: "production",
      LOG_CHANNEL: "stderr",
      VIEW_COMPILED_PATH: "/tmp/framework/views",
    },
    extensions: ["bcmath", "opcache", "pcntl", ...DATABASES, "zip"],
    build: [run(link.join(" && \\\n    "), "because Laravel writes there while it runs")],
    scratch: [
      "/tmp/bootstrap",
      "/tmp/logs",
      ...["cache/data", "sessions", "views"].map((name) => `/tmp/framework/${name}`),
    ],
    warnings,
  };
}

/** Its cache is made in memory at the first request; scripts and styles of the asset mapper are made now. */
function symfony(composer: Composer, hasConsole: boolean): PhpFramework {
  const doctrine = ["doctrine/orm", "doctrine/dbal", "doctrine/doctrine-bundle"].some((name) =>
    composer.requires.has(name),
  );
  const maps = hasConsole && composer.requires.has("symfony/asset-mapper");
  const compile =
    "APP_ENV=prod APP_SECRET=not-used-at-run-time sh -c 'php bin/console importmap:install && php bin/console asset-map:compile'";
  return {
    choice: { value: "Symfony", from: "symfony/framework-bundle in composer.json" },
    env: { APP_ENV: "prod", APP_DEBUG: "0" },
    extensions: ["opcache", ...(doctrine ? DATABASES : [])],
    build: [
      ...(maps ? [runTheirs({ value: compile, from: "symfony/asset-mapper in composer.json" })] : []),
      run("rm -rf var && ln -s /tmp/var var", "because Symfony writes there while it runs"),
    ],
    scratch: ["/tmp/var/cache", "/tmp/var/log"],
    warnings: ["Symfony needs APP_SECRET in its config."],
  };
}

import { join } from "node:path/posix";
import type { Choice } from "../../src/engine/build/plan.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { type SourceTree, subtree } from "../../src/engine/build/tree.ts";

/** What a Django project's manage.py, settings and server modules say. */
export interface Django {
  /** Where manage.py lies; "" is the root. */
  directory: string;
  /** Modules with the application objects, e.g. `mysite.wsgi`; null when there is none. */
  wsgi: string | null;
  asgi: string | null;
  /** Settings to run with, where manage.py names others than the server module does. */
  settings: Choice<string> | null;
  /** Command that gathers static files; null when the settings do not say where to. */
  collect: Choice<string> | null;
  warnings: string[];
}

/** Reads a tree with manage.py at its root or in one of its directories; null for others. Nothing of it is run. */
export async function readDjango(root: SourceTree, releaseCommand: string | null): Promise<Django | null> {
  const directory = await projectDirectory(root);
  if (directory === null) return null;
  const tree = subtree(root, directory);
  const named = settingsIn((await tree.read("manage.py")) ?? "");
  const wsgi = await serverModule(tree, named, "wsgi");
  const asgi = await serverModule(tree, named, "asgi");
  const served = wsgi ?? asgi;
  const inServer = served === null ? null : settingsIn((await tree.read(pathOf(served))) ?? "");
  const settings = inServer ?? named;
  const text = settings === null ? "" : await settingsText(tree, settings);
  const gather =
    directory === "" ? collectCommand(text) : `cd ${quote(directory)} && ${collectCommand(text)}`;
  return {
    directory,
    wsgi,
    asgi,
    settings:
      inServer !== null && inServer !== named
        ? { value: inServer, from: `DJANGO_SETTINGS_MODULE in ${join(directory, pathOf(served!))}` }
        : null,
    collect: /^\s*STATIC_ROOT\s*=/m.test(text)
      ? { value: gather, from: "STATIC_ROOT in the settings" }
      : null,
    warnings: warningsOf(text, join(directory, "manage.py"), releaseCommand),
  };
}

/** The root, else the only directory with a manage.py that names its settings, as other frameworks' do not. */
async function projectDirectory(tree: SourceTree): Promise<string | null> {
  if (await tree.has("manage.py")) return "";
  const directories = (await tree.list("")).filter(
    ({ name, directory }) => directory && !name.startsWith("."),
  );
  const texts = await Promise.all(directories.map(({ name }) => tree.read(`${name}/manage.py`)));
  const found = directories.filter((_, index) => settingsIn(texts[index] ?? "") !== null);
  return found.length === 1 ? found[0]!.name : null;
}

function settingsIn(text: string): string | null {
  return /DJANGO_SETTINGS_MODULE['"],\s*['"]([\w.]+)['"]/.exec(text)?.[1] ?? null;
}

function pathOf(module: string): string {
  return `${module.replaceAll(".", "/")}.py`;
}

/** In the package that holds the settings, else in any at the root. */
async function serverModule(tree: SourceTree, settings: string | null, kind: string): Promise<string | null> {
  const directories = (await tree.list("")).filter((entry) => entry.directory).map(({ name }) => name);
  for (const name of [settings?.split(".")[0] ?? "", ...directories].filter((one) => /^\w+$/.test(one)))
    if (await tree.has(`${name}/${kind}.py`)) return `${name}.${kind}`;
  return null;
}

/** The module, or all modules of its package: settings for production are often told apart from a base. */
async function settingsText(tree: SourceTree, module: string): Promise<string> {
  const path = module.replaceAll(".", "/");
  const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const packages = [path, ...(parent.endsWith("settings") ? [parent] : [])];
  const inside = await Promise.all(
    packages.map(async (directory) =>
      (await tree.list(directory))
        .filter(({ name }) => name.endsWith(".py"))
        .map(({ name }) => `${directory}/${name}`),
    ),
  );
  const texts = await Promise.all([`${path}.py`, ...inside.flat()].map((file) => tree.read(file)));
  return texts.filter(Boolean).join("\n");
}

/** Settings demand values that a build does not have and static files do not need: stand-ins let them load. */
function collectCommand(text: string): string {
  const demanded = [
    ...text.matchAll(/environ\[\s*['"](\w+)['"]\s*\]/g),
    ...text.matchAll(/\b(?:env|config)(?:\.\w+)?\(\s*['"](\w+)['"]\s*\)/g),
  ].map((match) => match[1]!);
  const names = [...new Set(["SECRET_KEY", ...demanded])].filter((name) => /^[A-Z][A-Z0-9_]*$/.test(name));
  const pairs = names.map((name) => {
    const value = name === "DATABASE_URL" ? "sqlite://:memory:" : "not-used-at-run-time";
    return `${name}="\${${name}:-${value}}"`;
  });
  return `${pairs.join(" ")} python manage.py collectstatic --noinput`;
}

function warningsOf(text: string, manage: string, releaseCommand: string | null): string[] {
  const fromOutside = /environ|\benv[.(]|decouple|dj_database_url/.test(text);
  if (/django\.db\.backends\.sqlite3/.test(text) && !fromOutside) {
    return ["The settings keep the database in the tree: it is read-only there, and gone with each release."];
  }
  return /^\s*DATABASES\s*=/m.test(text) && releaseCommand === null
    ? [
        `Migrations are not run: a Procfile with \`release: python ${manage} migrate\` runs them before each release.`,
      ]
    : [];
}

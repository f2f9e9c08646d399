import type { SourceTree } from "../../src/engine/build/tree.ts";

/** The module that a program starts with. */
export interface Entry {
  path: string;
  /** `module:variable` of an application object in it, or of a function that makes one. */
  object: { name: string; isFactory: boolean } | null;
}

const NAMES = ["app", "main", "server", "application", "wsgi", "asgi", "streamlit_app"];

const OBJECT =
  /^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?(?:FastAPI|Flask|Starlette|Quart|Litestar|Sanic|Bottle|App|API|create_app|make_app)\(/m;
/** Dash keeps its WSGI application inside its own. */
const INNER = /^(\w+)\s*=\s*\w+\.server\b/m;
const FACTORY = /^def\s+(create_app|make_app)\(/m;

/** An object that a module for servers only passes on. */
const PASSED =
  /^from\s+[\w.]+\s+import\s+(?:[\w ]+,\s*)*\(?\s*(?:\w+\s+as\s+(app|application)|(app|application))\b/m;

/** The first usual module; one with an application object before one without, wherever it lies. */
export async function findEntry(tree: SourceTree, packageName: string | null): Promise<Entry | null> {
  const own =
    packageName !== null && /^\w+$/.test(packageName) ? [`${packageName}/`, `src/${packageName}/`] : [];
  let first: Entry | null = null;
  for (const directory of ["", "src/", "app/", "api/", ...own]) {
    for (const name of NAMES) {
      const path = `${directory}${name}.py`;
      const text = await tree.read(path);
      if (text === null) continue;
      const object = objectIn(text, moduleOf(path));
      if (object !== null) return { path, object };
      first ??= { path, object: null };
    }
  }
  return (await packageEntry(tree)) ?? first;
}

function objectIn(text: string, module: string): Entry["object"] {
  const variable = (INNER.exec(text) ?? OBJECT.exec(text) ?? PASSED.exec(text))?.slice(1).find(Boolean);
  if (variable !== undefined) return { name: `${module}:${variable}`, isFactory: false };
  const factory = FACTORY.exec(text)?.[1];
  return factory === undefined ? null : { name: `${module}:${factory}`, isFactory: true };
}

/** `src/` is a place on the path; any other directory is a package. */
function moduleOf(path: string): string {
  return path
    .replace(/^src\//, "")
    .replace(/\.py$/, "")
    .replaceAll("/", ".");
}

const NO_APPS = /^(tests?|examples?|docs|scripts|migrations)$/;

/** A package with an application, or a factory of it, in its __init__.py, as Flask's tutorial has it, or in a usual module. */
async function packageEntry(tree: SourceTree): Promise<Entry | null> {
  for (const parent of ["", "src/"]) {
    for (const { name, directory } of await tree.list(parent)) {
      if (!directory || !/^[a-z]\w*$/.test(name) || NO_APPS.test(name)) continue;
      for (const file of ["__init__", ...NAMES]) {
        const path = `${parent}${name}/${file}.py`;
        const module = moduleOf(path).replace(/\.__init__$/, "");
        const object = objectIn((await tree.read(path)) ?? "", module);
        if (object !== null) return { path, object };
      }
    }
  }
  return null;
}

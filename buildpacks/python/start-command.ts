import type { Choice } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import type { PythonProject } from "./project.ts";

export interface PythonStart {
  framework: Choice<string> | null;
  command: { command: string[]; from: string } | null;
  /** Servers that the repository does not bring itself. */
  adds: string[];
}

const ENTRIES = ["app", "main", "server", "application", "wsgi", "asgi"];
const DIRECTORIES = ["", "src/", "app/"];

const WSGI: [string, string][] = [
  ["flask", "Flask"],
  ["bottle", "Bottle"],
  ["falcon", "Falcon"],
  ["pyramid", "Pyramid"],
];
const ASGI: [string, string][] = [
  ["fastapi", "FastAPI"],
  ["litestar", "Litestar"],
  ["quart", "Quart"],
  ["starlette", "Starlette"],
];

/** The command that serves: Django's module, an application object, Streamlit, else the program itself. */
export async function choosePythonStart(tree: SourceTree, project: PythonProject): Promise<PythonStart> {
  const has = (name: string) => project.dependencies.has(name);
  if (await tree.has("manage.py")) return django(tree, has);
  const entry = await findEntry(tree);
  if (has("streamlit")) return streamlit(entry);
  const asgi = ASGI.find(([name]) => has(name));
  const wsgi = WSGI.find(([name]) => has(name));
  const found = asgi ?? wsgi;
  const framework = found === undefined ? null : { value: found[1], from: `${found[0]} in the dependencies` };
  if (entry === null) return { framework, command: null, adds: [] };
  if (asgi !== undefined && entry.object !== null)
    return { framework, ...uvicorn(entry.object, entry.path, has) };
  if (wsgi !== undefined && entry.object !== null)
    return { framework, ...gunicorn(entry.object, entry.path, has) };
  return { framework, command: { command: ["python", entry.path], from: entry.path }, adds: [] };
}

type Has = (name: string) => boolean;

/** The package that holds wsgi.py; manage.py names its settings. */
async function django(tree: SourceTree, has: Has): Promise<PythonStart> {
  const framework = { value: "Django", from: "manage.py" };
  const named = /DJANGO_SETTINGS_MODULE['"],\s*['"]([\w.]+)['"]/.exec(
    (await tree.read("manage.py")) ?? "",
  )?.[1];
  const packages = [
    named?.split(".")[0] ?? "",
    ...(await tree.list("")).filter((e) => e.directory).map((e) => e.name),
  ];
  const asgi = has("channels") || has("daphne") || has("uvicorn");
  for (const name of packages.filter((name) => /^\w+$/.test(name))) {
    if (asgi && (await tree.has(`${name}/asgi.py`))) {
      return { framework, ...uvicorn(`${name}.asgi:application`, `${name}/asgi.py`, has) };
    }
    if (await tree.has(`${name}/wsgi.py`)) {
      return { framework, ...gunicorn(`${name}.wsgi:application`, `${name}/wsgi.py`, has) };
    }
  }
  return { framework, command: null, adds: [] };
}

function streamlit(entry: Entry | null): PythonStart {
  const framework = { value: "Streamlit", from: "streamlit in the dependencies" };
  if (entry === null) return { framework, command: null, adds: [] };
  const line = `exec streamlit run ${entry.path} --server.port "$PORT" --server.address 0.0.0.0 --server.headless true`;
  return { framework, command: { command: ["sh", "-c", line], from: entry.path }, adds: [] };
}

function uvicorn(application: string, from: string, has: Has): Pick<PythonStart, "command" | "adds"> {
  // The proxy in front is the only one that reaches the app: what it says of the client is true.
  const line = `exec uvicorn ${application} --host 0.0.0.0 --port "$PORT" --proxy-headers --forwarded-allow-ips '*'`;
  return { command: { command: ["sh", "-c", line], from }, adds: has("uvicorn") ? [] : ["uvicorn"] };
}

function gunicorn(application: string, from: string, has: Has): Pick<PythonStart, "command" | "adds"> {
  const line = `exec gunicorn ${application} --bind "0.0.0.0:$PORT" --threads 8 --worker-tmp-dir /dev/shm`;
  return { command: { command: ["sh", "-c", line], from }, adds: has("gunicorn") ? [] : ["gunicorn"] };
}

interface Entry {
  path: string;
  /** `module:variable` of an application object in it. */
  object: string | null;
}

const OBJECT =
  /^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?(?:FastAPI|Flask|Starlette|Quart|Litestar|Bottle|App|API|create_app|make_app)\(/m;
const FACTORY = /^def\s+(create_app|make_app)\(/m;

/** The first usual module; one with an application object before one without. */
async function findEntry(tree: SourceTree): Promise<Entry | null> {
  let first: Entry | null = null;
  for (const directory of DIRECTORIES) {
    for (const name of ENTRIES) {
      const path = `${directory}${name}.py`;
      const text = await tree.read(path);
      if (text === null) continue;
      const object = objectIn(text, await moduleOf(tree, directory, name));
      if (object !== null) return { path, object };
      first ??= { path, object: null };
    }
  }
  return first ?? (await packageEntry(tree));
}

function objectIn(text: string, module: string): string | null {
  const variable = OBJECT.exec(text)?.[1];
  if (variable !== undefined) return `${module}:${variable}`;
  const factory = FACTORY.exec(text)?.[1];
  return factory === undefined ? null : `${module}:${factory}()`;
}

/** `src/` is a place on the path; another directory is a package. */
async function moduleOf(tree: SourceTree, directory: string, name: string): Promise<string> {
  if (directory === "" || directory === "src/") return name;
  const isPackage = await tree.has(`${directory}__init__.py`);
  return isPackage || directory === "app/" ? `${directory.slice(0, -1)}.${name}` : name;
}

/** A package with an application factory in its __init__.py, as Flask's tutorial has it. */
async function packageEntry(tree: SourceTree): Promise<Entry | null> {
  for (const { name, directory } of await tree.list("")) {
    if (!directory || !/^[a-z]\w*$/.test(name)) continue;
    const path = `${name}/__init__.py`;
    const object = objectIn((await tree.read(path)) ?? "", name);
    if (object !== null) return { path, object };
  }
  return null;
}

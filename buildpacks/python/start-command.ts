import { join } from "node:path/posix";
import type { Choice } from "../../src/engine/build/plan.ts";
import { quote } from "../../src/engine/build/quote.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import type { Django } from "./django.ts";
import { type Entry, findEntry } from "./entry.ts";
import type { PythonProject } from "./project.ts";

export interface PythonStart {
  framework: Choice<string> | null;
  command: { command: string[]; from: string } | null;
  /** Servers that the repository does not bring itself. */
  adds: string[];
}

const WSGI: [string, string][] = [
  ["flask", "Flask"],
  ["dash", "Dash"],
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
/** Programs that serve by themselves, and where they are told to. */
const SELF: [string, string, (path: string) => string][] = [
  [
    "streamlit",
    "Streamlit",
    (path) =>
      `exec streamlit run ${path} --server.port "$PORT" --server.address 0.0.0.0 --server.headless true`,
  ],
  ["gradio", "Gradio", (path) => `GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT="$PORT" exec python ${path}`],
];

type Has = (name: string) => boolean;

/** Whether the dependencies are those of something that answers requests. */
export function isWebProject({ dependencies }: PythonProject): boolean {
  return ["django", ...[...WSGI, ...ASGI, ...SELF].map(([name]) => name)].some((name) =>
    dependencies.has(name),
  );
}

/** The command that serves: Django's module, an application object, Streamlit, else the program itself. */
export async function choosePythonStart(
  tree: SourceTree,
  project: PythonProject,
  django: Django | null,
): Promise<PythonStart> {
  const has = (name: string) => project.dependencies.has(name);
  if (django !== null) return startDjango(django, has);
  const entry = await findEntry(tree, project.packageName);
  const self = SELF.find(([name]) => has(name));
  const asgi = ASGI.find(([name]) => has(name));
  const wsgi = WSGI.find(([name]) => has(name));
  const found = self ?? asgi ?? wsgi;
  const framework = found === undefined ? null : { value: found[1], from: `${found[0]} in the dependencies` };
  if (entry === null) return { framework, command: null, adds: [] };
  const { path, object } = entry;
  if (self !== undefined)
    return { framework, command: { command: ["sh", "-c", self[2](path)], from: path }, adds: [] };
  if (asgi !== undefined && object !== null) return { framework, ...uvicorn(object, path, has) };
  if (wsgi !== undefined && object !== null) return { framework, ...gunicorn(object, path, has) };
  return { framework, command: { command: ["python", path], from: path }, adds: [] };
}

function startDjango({ directory, asgi, wsgi }: Django, has: Has): PythonStart {
  const framework = { value: "Django", from: join(directory, "manage.py") };
  const application = (module: string) => ({ name: `${module}:application`, isFactory: false });
  const path = (module: string) => join(directory, `${module.replaceAll(".", "/")}.py`);
  if (asgi !== null && (has("channels") || has("daphne") || has("uvicorn")))
    return { framework, ...uvicorn(application(asgi), path(asgi), has, directory) };
  if (wsgi !== null) return { framework, ...gunicorn(application(wsgi), path(wsgi), has, directory) };
  return { framework, command: null, adds: [] };
}

type Served = Pick<PythonStart, "command" | "adds">;

type Application = NonNullable<Entry["object"]>;

/** `at`: directory that its modules are found from. */
function uvicorn({ name, isFactory }: Application, from: string, has: Has, at = ""): Served {
  const place = at === "" ? "" : ` --app-dir ${quote(at)}`;
  const line = `exec uvicorn ${isFactory ? "--factory " : ""}${name}${place} --host 0.0.0.0 --port "$PORT"`;
  const isThere = has("uvicorn") || has("fastapi[standard]") || has("fastapi[all]");
  return { command: { command: ["sh", "-c", line], from }, adds: isThere ? [] : ["uvicorn"] };
}

function gunicorn({ name, isFactory }: Application, from: string, has: Has, at = ""): Served {
  const place = at === "" ? "" : ` --chdir ${quote(at)}`;
  const application = quote(isFactory ? `${name}()` : name);
  const line = `exec gunicorn ${application}${place} --bind "0.0.0.0:$PORT" --threads 8 --worker-tmp-dir /dev/shm`;
  return { command: { command: ["sh", "-c", line], from }, adds: has("gunicorn") ? [] : ["gunicorn"] };
}

import type { Choice } from "../../src/engine/build/plan.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import type { PythonProject } from "./project.ts";

/** How the packages get into the virtual environment at /opt/venv. */
export interface PythonManager {
  choice: Choice<string>;
  /** What pip has to install first. */
  tool: string | null;
  install: Choice<string> | null;
  /** Files that the installation reads; `["."]` for the whole tree. */
  reads: string[];
  caches: Record<string, string>;
  env: Record<string, string>;
  warnings: string[];
}

const PIP = { pip: "/root/.cache/pip" };
const UV = { uv: "/root/.cache/uv" };

/** The image's Python, also where .python-version names another release of its line. */
const UV_ENVIRONMENT = {
  UV_PYTHON: "/usr/local/bin/python",
  UV_PYTHON_DOWNLOADS: "never",
  UV_LINK_MODE: "copy",
  UV_COMPILE_BYTECODE: "1",
};

const LOCKED: Record<string, () => PythonManager> = {
  "uv.lock": uv,
  "poetry.lock": poetry,
  "pdm.lock": pdm,
  "Pipfile.lock": pipenv,
};

/** By lockfile: uv, poetry, pdm, pipenv; then requirements.txt by pip; then pyproject.toml alone. */
export async function choosePythonManager(tree: SourceTree, project: PythonProject): Promise<PythonManager> {
  const manager = await chosen(tree, project);
  return manager.install !== null && project.needsTree ? { ...manager, reads: ["."] } : manager;
}

async function chosen(tree: SourceTree, project: PythonProject): Promise<PythonManager> {
  const lockfile = await firstOf(tree, Object.keys(LOCKED));
  if (lockfile !== null) return LOCKED[lockfile]!();
  if (project.requirements !== null) return pip(project.requirements, project.included);
  if (project.table === "poetry") return poetry(null);
  if (project.table === "project") return pyproject();
  if (await tree.has("Pipfile")) return pipfile();
  if (await tree.has("setup.py")) return setupPy();
  return { ...base("pip", "no dependencies", null), install: null, reads: [] };
}

function base(name: string, from: string, tool: string | null): PythonManager {
  return {
    choice: { value: name, from },
    tool,
    install: null,
    reads: [],
    caches: tool === "uv" ? { ...PIP, ...UV } : PIP,
    env: tool === "uv" ? UV_ENVIRONMENT : {},
    warnings: [],
  };
}

function uv(): PythonManager {
  const plan = base("uv", "uv.lock", "uv");
  return {
    ...plan,
    env: { ...plan.env, UV_PROJECT_ENVIRONMENT: "/opt/venv" },
    install: { value: "uv sync --locked --no-dev --no-install-project --no-editable", from: "uv.lock" },
    reads: ["pyproject.toml", "uv.lock"],
  };
}

function poetry(lockfile: string | null = "poetry.lock"): PythonManager {
  const from = lockfile ?? "tool.poetry in pyproject.toml, no lockfile";
  return {
    ...base("poetry", from, "poetry"),
    install: { value: "poetry install --only main --no-root --no-interaction", from },
    reads: ["pyproject.toml", "poetry.lock", "poetry.toml"],
    caches: { ...PIP, poetry: "/root/.cache/pypoetry" },
    warnings:
      lockfile === null ? ["No poetry.lock: versions of dependencies may differ from build to build."] : [],
  };
}

function pdm(): PythonManager {
  const line =
    "pdm export --prod --format requirements --output /tmp/requirements.txt && pip install -r /tmp/requirements.txt";
  return {
    ...base("pdm", "pdm.lock", "pdm"),
    install: { value: line, from: "pdm.lock" },
    reads: ["pyproject.toml", "pdm.lock"],
  };
}

function pipenv(): PythonManager {
  const line =
    "pipenv verify && pipenv requirements > /tmp/requirements.txt && pip install -r /tmp/requirements.txt";
  return {
    ...base("pipenv", "Pipfile.lock", "pipenv"),
    install: { value: line, from: "Pipfile.lock" },
    reads: ["Pipfile", "Pipfile.lock"],
  };
}

function pipfile(): PythonManager {
  return {
    ...base("pipenv", "Pipfile", "pipenv"),
    install: { value: "pipenv install --skip-lock", from: "Pipfile" },
    reads: ["Pipfile"],
    warnings: ["No Pipfile.lock: versions of dependencies may differ from build to build."],
  };
}

function pip(path: string, included: string[]): PythonManager {
  return {
    ...base("pip", path, null),
    install: { value: `pip install -r ${path}`, from: path },
    reads: [path, ...included],
  };
}

/** uv reads the dependencies of a pyproject.toml without building it: code does not touch this layer. */
function pyproject(): PythonManager {
  return {
    ...base("uv", "pyproject.toml, no lockfile", "uv"),
    install: { value: "uv pip install --python /opt/venv -r pyproject.toml", from: "pyproject.toml" },
    reads: ["pyproject.toml"],
    warnings: ["No lockfile: versions of dependencies may differ from build to build."],
  };
}

function setupPy(): PythonManager {
  return {
    ...base("pip", "setup.py", null),
    install: { value: "pip install .", from: "setup.py" },
    reads: ["."],
    warnings: ["No lockfile: versions of dependencies may differ from build to build."],
  };
}

import type { BuildPlan, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
import { runsServer } from "../node/bundlers.ts";
import { readPackageJson } from "../node/package-json.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { aptInstall, copyAll, copyInPlace, present, run, runTheirs, take } from "../steps.ts";
import { type Django, readDjango } from "./django.ts";
import { choosePythonManager, type PythonManager } from "./package-manager.ts";
import { type PythonProject, REQUIREMENTS, readPythonProject } from "./project.ts";
import { choosePythonStart, isWebProject } from "./start-command.ts";

const MARKS = [
  ...REQUIREMENTS,
  "uv.lock",
  "poetry.lock",
  "pdm.lock",
  "Pipfile",
  "pyproject.toml",
  "setup.py",
  "manage.py",
  "main.py",
  "app.py",
];

/** Shared libraries that packages load at run time; the slim image lacks them. */
const LIBRARIES: Record<string, string[]> = {
  psycopg: ["libpq5"],
  psycopg2: ["libpq5"],
  mysqlclient: ["libmariadb3"],
  "python-magic": ["libmagic1"],
  weasyprint: ["libpango-1.0-0", "libpangoft2-1.0-0"],
  "opencv-python": ["libgl1", "libglib2.0-0"],
  pycairo: ["libcairo2"],
  "python-ldap": ["libldap-2.5-0"],
  pyodbc: ["unixodbc"],
};

/** Python programs: pip, uv, poetry, pdm, pipenv; Django, Flask, FastAPI, Streamlit. */
export const pythonProvider: Provider = {
  name: "python",
  looks_for: "requirements.txt, pyproject.toml, Pipfile, uv.lock, poetry.lock or manage.py (Python)",
  start_from:
    "manage.py with wsgi.py, and an application in app.py, main.py, server.py, application.py, wsgi.py, asgi.py",
  async detect(tree) {
    const mark = await firstOf(tree, MARKS);
    if (mark === null || (await tree.has("manage.py"))) return mark === null ? null : [mark];
    return (await belongsToNode(tree)) ? null : [mark];
  },
  plan: planPython,
};

/** Python helpers beside a Node program or site; a Python server with scripts and styles of its own is none. */
async function belongsToNode(tree: SourceTree): Promise<boolean> {
  const pkg = await readPackageJson(tree).catch(() => null);
  if (pkg === null) return false;
  if (runsServer(pkg)) return true;
  return pkg.scripts.build !== undefined && !isWebProject(await readPythonProject(tree));
}

async function planPython(tree: SourceTree, { evidence, procfile }: PlanContext): Promise<BuildPlan> {
  const project = await readPythonProject(tree);
  const manager = await choosePythonManager(tree, project);
  const django = await readDjango(tree, procfile.get("release") ?? null);
  const start = await choosePythonStart(tree, project, django);
  const { version, warnings } = chooseVersion("python", project.wish);
  const plan = emptyPlan("python", evidence);
  plan.versions.python = version;
  plan.package_manager = manager.choice;
  plan.framework = start.framework;
  plan.build_image = { value: `python:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: `python:${version.value}-slim-bookworm`, from: version.from };
  plan.warnings.push(...warnings, ...manager.warnings, ...(django?.warnings ?? []));
  if (start.command !== null) plan.processes.web = start.command;
  plan.ignore = [".venv", "venv", "**/__pycache__", "**/node_modules"];
  plan.env = runEnvironment(await tree.has("src"), django);
  const adds = procfile.has("web") ? [] : start.adds;
  const built = await buildStage(tree, django);
  plan.stages = [
    await dependencyStage(tree, plan, manager, adds),
    ...(built === null ? [] : [built]),
    runStage(plan, project, built !== null),
  ];
  return plan;
}

function runEnvironment(hasSource: boolean, django: Django | null): Record<string, string> {
  return {
    PATH: "/opt/venv/bin:$PATH",
    PYTHONPATH: hasSource ? "/app:/app/src" : "/app",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    // The proxy in front is the only one that reaches the app: gunicorn and uvicorn may believe it.
    FORWARDED_ALLOW_IPS: "*",
    ...(django?.settings ? { DJANGO_SETTINGS_MODULE: django.settings.value } : {}),
    HOME: "/tmp",
  };
}

/** The whole toolchain is here; only the environment leaves. */
async function dependencyStage(
  tree: SourceTree,
  plan: BuildPlan,
  manager: PythonManager,
  adds: string[],
): Promise<Stage> {
  const files = await present(tree, manager.reads);
  const steps: Step[] = [run("python -m venv /opt/venv", "to have all packages in one directory")];
  // Outside of the environment, and before it on no path: the app never sees it.
  if (manager.tool !== null)
    steps.unshift(run(`/usr/local/bin/pip install ${manager.tool}`, manager.choice.from, manager.caches));
  steps.push(...copyInPlace(files));
  if (manager.install !== null) steps.push(runTheirs(manager.install, manager.caches));
  if (adds.length > 0) {
    const installer = manager.tool === "uv" ? "uv pip install --python /opt/venv" : "pip install";
    steps.push(
      run(`${installer} ${adds.join(" ")}`, "because the start command serves with it", manager.caches),
    );
  }
  return {
    name: "dependencies",
    from: plan.build_image!.value,
    purpose: "Packages, in an environment of their own",
    env: {
      PATH: "/opt/venv/bin:$PATH",
      VIRTUAL_ENV: "/opt/venv",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_ROOT_USER_ACTION: "ignore",
      ...manager.env,
    },
    steps,
  };
}

/** Scripts and styles are built, then Django gathers them; null when there is nothing to do. */
async function buildStage(tree: SourceTree, django: Django | null): Promise<Stage | null> {
  const node = await nodeAssets(tree);
  const assets = node === null || node.build.length === 0 ? null : node;
  const collect = django?.collect ?? null;
  if (collect === null && assets === null) return null;
  const steps: Step[] = assets === null ? [] : [...assets.lend, ...assets.install];
  steps.push(copyAll());
  if (assets !== null)
    steps.push(...assets.build, run("rm -rf node_modules", "because only the build needs them"));
  if (collect !== null) steps.push(runTheirs(collect));
  return {
    name: "build",
    from: "dependencies",
    purpose:
      collect === null ? "The app with its scripts and styles" : "The app with its static files gathered",
    env: django?.settings ? { DJANGO_SETTINGS_MODULE: django.settings.value } : {},
    steps,
  };
}

function runStage(plan: BuildPlan, { dependencies }: PythonProject, built: boolean): Stage {
  const needed = [...dependencies].filter((name) => !dependencies.has(`${name}[binary]`));
  const libraries = needed.flatMap((name) => LIBRARIES[name] ?? []);
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: no compiler, no root",
    env: {},
    steps: [
      ...aptInstall({ value: libraries, from: "because dependencies load them" }),
      take("dependencies", "/opt/venv", "/opt/venv"),
      built ? take("build", "/app", "./") : copyAll(),
    ],
  };
}

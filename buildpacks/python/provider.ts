import type { BuildPlan, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, readJson, type SourceTree } from "../../src/engine/build/tree.ts";
import { nodeAssets } from "../node/assets.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { aptInstall, copyAll, copyInPlace, run, runTheirs, take } from "../steps.ts";
import { choosePythonManager, type PythonManager } from "./package-manager.ts";
import { type PythonProject, readPythonProject } from "./project.ts";
import { choosePythonStart, type PythonStart } from "./start-command.ts";

const MARKS = [
  "requirements.txt",
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
    const mark = await firstOf(tree, (await startsWithNode(tree)) ? ["manage.py"] : MARKS);
    return mark === null ? null : [mark];
  },
  plan: planPython,
};

/** A Node program with Python helpers beside it is a Node program. */
async function startsWithNode(tree: SourceTree): Promise<boolean> {
  const pkg = await readJson(tree, "package.json").catch(() => null);
  return typeof (pkg?.scripts as Record<string, unknown> | undefined)?.start === "string";
}

async function planPython(tree: SourceTree, { evidence, procfile }: PlanContext): Promise<BuildPlan> {
  const project = await readPythonProject(tree);
  const manager = await choosePythonManager(tree, project);
  const start = await choosePythonStart(tree, project);
  const { version, warnings } = chooseVersion("python", project.wish);
  const adds = procfile.has("web") ? [] : start.adds;
  const plan = emptyPlan("python", evidence);
  plan.versions.python = version;
  plan.package_manager = manager.choice;
  plan.framework = start.framework;
  plan.build_image = { value: `python:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: `python:${version.value}-slim-bookworm`, from: version.from };
  plan.warnings.push(...warnings, ...manager.warnings);
  if (start.command !== null) plan.processes.web = start.command;
  const facts = { tree, plan, manager, project, adds };
  plan.env = runEnvironment(await tree.has("src"));
  plan.stages = [await dependencyStage(facts)];
  const built = start.framework?.value === "Django" ? await djangoStage(tree, plan) : null;
  if (built !== null) plan.stages.push(built);
  plan.stages.push(runStage(facts, built !== null));
  return plan;
}

interface Facts {
  tree: SourceTree;
  plan: BuildPlan;
  manager: PythonManager;
  project: PythonProject;
  adds: PythonStart["adds"];
}

function runEnvironment(hasSource: boolean): Record<string, string> {
  return {
    PATH: "/opt/venv/bin:$PATH",
    PYTHONPATH: hasSource ? "/app:/app/src" : "/app",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    HOME: "/tmp",
  };
}

/** The whole toolchain is here; only the environment leaves. */
async function dependencyStage({ tree, plan, manager, adds }: Facts): Promise<Stage> {
  const files: string[] = [];
  for (const path of manager.reads) if (path === "." || (await tree.has(path))) files.push(path);
  const steps = [run("python -m venv /opt/venv", "to have all packages in one directory")];
  if (manager.tool !== null) {
    // Outside of the environment, and before it on no path: the app never sees it.
    steps.unshift(run(`/usr/local/bin/pip install ${manager.tool}`, manager.choice.from, manager.caches));
  }
  const installs = manager.install === null ? [] : [runTheirs(manager.install, manager.caches)];
  const extra =
    adds.length === 0
      ? []
      : [
          run(
            `${installer(manager)} ${adds.join(" ")}`,
            "because the start command serves with it",
            manager.caches,
          ),
        ];
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
    steps: [...steps, ...copyInPlace(files), ...installs, ...extra],
  };
}

function installer({ tool }: PythonManager): string {
  return tool === "uv" ? "uv pip install" : "pip install";
}

/** Static files are gathered when the settings say where to; without a secret key most settings do not load. */
async function djangoStage(tree: SourceTree, plan: BuildPlan): Promise<Stage | null> {
  const settings = await djangoSettings(tree);
  if (
    /django\.db\.backends\.sqlite3/.test(settings) &&
    !/environ|env\(|decouple|dj_database_url/.test(settings)
  ) {
    plan.warnings.push(
      "The settings keep the database in the tree: it is read-only there, and gone with each release.",
    );
  }
  const gathers = /^STATIC_ROOT\s*=/m.test(settings);
  const node = await nodeAssets(tree);
  const assets = node === null || node.build.length === 0 ? null : node;
  if (!gathers && assets === null) return null;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  const line = 'SECRET_KEY="${SECRET_KEY:-not-used-at-run-time}" python manage.py collectstatic --noinput';
  return {
    name: "build",
    from: "dependencies",
    purpose: "The app with its static files gathered",
    env: {},
    steps: [
      ...(assets === null ? [] : [...assets.lend, ...assets.install]),
      copyAll(),
      ...(assets === null
        ? []
        : [...assets.build, run("rm -rf node_modules", "because only the build needs them")]),
      ...(gathers ? [runTheirs({ value: line, from: "STATIC_ROOT in the settings" })] : []),
    ],
  };
}

async function djangoSettings(tree: SourceTree): Promise<string> {
  const named = /DJANGO_SETTINGS_MODULE['"],\s*['"]([\w.]+)['"]/.exec(
    (await tree.read("manage.py")) ?? "",
  )?.[1];
  return named === undefined ? "" : ((await tree.read(`${named.replaceAll(".", "/")}.py`)) ?? "");
}

function runStage({ plan, project }: Facts, built: boolean): Stage {
  const libraries = [...project.dependencies].flatMap((name) => LIBRARIES[name] ?? []);
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

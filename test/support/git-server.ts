import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface GitServer {
  /** Address of a repository over http or https on loopback, without credentials. */
  url(name: string): string;
  /** Absolute path of its bare repository. */
  path(name: string): string;
  /**
   * Commits a whole tree (a directory, or path → text) on a branch; makes repository and branch when they are new.
   * Answers the commit's id.
   */
  commit(
    name: string,
    tree: string | Record<string, string>,
    message?: string,
    branch?: string,
  ): Promise<string>;
  /** An existing, empty repository. */
  empty(name: string): Promise<void>;
  tag(name: string, tag: string, commit: string): Promise<void>;
  stop(): Promise<void>;
}

export interface GitServerOptions {
  /** Every request needs these (HTTP basic). */
  credentials?: { username: string; password: string };
  /** Serve https with this certificate instead of http. */
  tls?: { cert: string; key: string };
  /** Contents by sha256, served as Git LFS has it. */
  largeFiles?: Record<string, string>;
}

/** Serves repositories from a temporary directory by git-http-backend(1), smart protocol, on a free loopback port. */
export async function serveRepositories({
  credentials,
  tls,
  largeFiles = {},
}: GitServerOptions = {}): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), "diplo-git-"));
  const env = gitEnvironment(root);
  const backend = join((await run(["--exec-path"], env)).trim(), "git-http-backend");
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls && { tls }),
    fetch: (request) =>
      isAllowed(request, credentials)
        ? (largeFile(request, largeFiles) ?? answer(request, backend, env))
        : new Response("no", { status: 401, headers: { "www-authenticate": 'Basic realm="git"' } }),
  });
  const path = (name: string) => join(root, `${name}.git`);
  const empty = async (name: string) => {
    await run(["init", "--quiet", "--bare", "--initial-branch=main", path(name)], env);
  };

  return {
    url: (name) => `${tls ? "https" : "http"}://127.0.0.1:${server.port}/${name}.git`,
    path,
    empty,
    async commit(name, tree, message = "A change", branch = "main") {
      if (!(await Bun.file(join(path(name), "HEAD")).exists())) await empty(name);
      return commitTree(path(name), tree, message, branch, env);
    },
    async tag(name, tag, commit) {
      await run(["-C", path(name), "tag", "-a", "-m", tag, tag, commit], env);
    },
    async stop() {
      await server.stop(true);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function gitEnvironment(root: string): Record<string, string> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: root,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.org",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.org",
  };
}

async function commitTree(
  repository: string,
  tree: string | Record<string, string>,
  message: string,
  branch: string,
  env: Record<string, string>,
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "diplo-commit-"));
  try {
    await writeTree(work, tree);
    const index = { ...env, GIT_DIR: repository, GIT_WORK_TREE: work, GIT_INDEX_FILE: join(work, ".index") };
    await run(
      ["-c", "core.bare=false", "add", "--all", "--force", "--", ...(await readdir(work))],
      index,
      work,
    );
    const id = (await run(["write-tree"], index)).trim();
    const ref = `refs/heads/${branch}`;
    const parent = await run(["rev-parse", "--verify", "--quiet", ref], index).catch(() => "");
    const parents = parent === "" ? [] : ["-p", parent.trim()];
    const commit = (await run(["commit-tree", id, ...parents, "-m", message], index)).trim();
    await run(["update-ref", ref, commit], index);
    return commit;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function writeTree(directory: string, tree: string | Record<string, string>): Promise<void> {
  if (typeof tree === "string") return cp(tree, directory, { recursive: true, verbatimSymlinks: true });
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

function isAllowed(request: Request, credentials: GitServerOptions["credentials"]): boolean {
  if (credentials === undefined) return true;
  const expected = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  return request.headers.get("authorization") === `Basic ${expected}`;
}

/** The batch API of Git LFS, downloads only; null for every other request. */
function largeFile(request: Request, files: Record<string, string>): Promise<Response> | Response | null {
  const { pathname, origin } = new URL(request.url);
  const oid = /\/large-files\/([0-9a-f]{64})$/.exec(pathname)?.[1];
  if (oid !== undefined) return new Response(files[oid] ?? null, { status: oid in files ? 200 : 404 });
  if (!pathname.endsWith("/info/lfs/objects/batch")) return null;
  const describe = async () => {
    const { objects } = (await request.json()) as { objects: { oid: string; size: number }[] };
    const header = { authorization: request.headers.get("authorization") ?? "" };
    const actions = (id: string) => ({ download: { href: `${origin}/large-files/${id}`, header } });
    const found = objects.map((object) => ({ ...object, authenticated: true, actions: actions(object.oid) }));
    return Response.json(
      { transfer: "basic", objects: found },
      { headers: { "content-type": "application/vnd.git-lfs+json" } },
    );
  };
  return describe();
}

/** One CGI request (RFC 3875). */
async function answer(request: Request, backend: string, env: Record<string, string>): Promise<Response> {
  const url = new URL(request.url);
  const child = spawn(backend, [], {
    env: {
      ...env,
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(Buffer.from(await request.arrayBuffer()));
  const output = Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Buffer>));
  const end = output.indexOf("\r\n\r\n");
  const headers = new Headers();
  for (const line of output.subarray(0, end).toString().split("\r\n")) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const status = Number.parseInt(headers.get("status") ?? "200", 10);
  headers.delete("status");
  return new Response(new Uint8Array(output.subarray(end + 4)), { status, headers });
}

function run(args: string[], env: Record<string, string>, cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(stdout) : reject(new Error(`git ${args[0]}: ${stderr.trim() || `code ${code}`}`)),
    );
  });
}

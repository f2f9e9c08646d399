import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { chooseSource } from "../../src/cli/deploy-source.ts";
import type { Deployment } from "../../src/product/deployments/deployment.ts";
import type { ErrorBody } from "../../src/product/schema.ts";
import type { Detected } from "../../src/product/sources/detect.ts";
import { type Asked, FakeBox, problem } from "./fake-box.ts";
import { fakeIo } from "./fake-io.ts";
import { app, deployment } from "./samples.ts";

const building = deployment({
  status: "building",
  steps: { fetching: ["done", 400], building: ["running", "12:00:00"] },
});
const live = deployment({
  status: "success",
  steps: { fetching: ["done", 400], building: ["done", 12_000] },
});
const why: ErrorBody = {
  code: "build_failed",
  title: "The build failed",
  detail: "npm ci ended with code 1.",
  evidence: ["npm ERR! missing script"],
  hint: "Run npm ci on your machine first.",
};
const failed = deployment({ status: "failed", error: why, steps: { building: ["failed", 3_000] } });

const detected: Detected = {
  provider: "node",
  findings: [{ label: "Builder", value: "node", from: "package.json" }],
  config: [],
  warnings: [],
};

interface Play {
  /** What the deployment is at each look. */
  looks: Deployment[];
  log?: string;
  /** Called for each request before it is answered. */
  before?: (asked: Asked) => Response | undefined;
}

/** A box where a deployment takes its course: each event of its job is followed by the next look. */
function playing({ looks, log = "", before = () => undefined }: Play): FakeBox {
  const left = [...looks];
  return new FakeBox((asked) => {
    const { method, path } = asked;
    const early = before(asked);
    if (early) return early;
    if (path === "/deploy") return Response.json(looks[0], { status: 202 });
    if (/^\/apps\/[^/]+\/uploads$/.test(path))
      return Response.json(
        { upload_id: "01U", size_bytes: String(asked.body).length, detected },
        { status: 201 },
      );
    if (path === "/deployments/01D") return Response.json(left.length > 1 ? left.shift() : left[0]);
    if (path === "/jobs/01J/events")
      return stream(looks.map((_, id) => `id: ${id}\nevent: task.updated\ndata: {}\n\n`));
    if (path === "/deployments/01D/log?follow=1")
      return stream([
        `id: 9\n${log
          .split("\n")
          .map((line) => `data: ${line}\n`)
          .join("")}\n`,
      ]);
    if (path === "/apps/blog") return Response.json(app());
    return problem(404, "not_found", `${method} ${path}`);
  });
}

function stream(frames: string[]): Response {
  return new Response(`${frames.join("")}event: end\ndata: x\n\n`, {
    headers: { "content-type": "text/event-stream" },
  });
}

describe("diplo deploy", () => {
  test("follows to the end in plain lines and prints only the addresses on stdout", async () => {
    using box = playing({ looks: [building, live], log: "npm ci\ndone" });
    const io = fakeIo();
    expect(
      await box.run(
        ["deploy", "https://example.org/blog", "--branch", "main", "-e", "KEY=a=b", "--runtime", "docker"],
        io,
      ),
    ).toBe(0);
    expect(box.asked[0]).toMatchObject({
      path: "/deploy",
      body: {
        repo_url: "https://example.org/blog",
        branch: "main",
        env_vars: [{ name: "KEY", value: "a=b" }],
        runtime_type: "docker",
        wait: false,
      },
    });
    expect(io.stdout()).toBe("http://blog.local\nhttp://192.168.1.5:3000\n");
    expect(io.stderr()).toContain("building\nbuilding done in 12s\n");
    expect(io.stderr()).toContain("✓ blog v4 is live (34s)");
    expect(io.stderr()).not.toContain("npm ci");
  });

  test("writes one line over and over on a terminal", async () => {
    using box = playing({ looks: [building, live], log: "npm ci" });
    const io = fakeIo({ terminal: true });
    expect(await box.run(["deploy", "https://example.org/blog"], io, { NO_COLOR: "1" })).toBe(0);
    expect(io.stderr()).toContain("\r0.0s  fetching ✓ 0.4s · building 0.0s");
    expect(io.stderr()).toContain("34s  fetching ✓ 0.4s · building ✓ 12s\n");
  });

  test("prints the whole build log with --verbose", async () => {
    using box = playing({ looks: [building, live], log: "npm ci\nadded 3 packages\x1b[2J" });
    const io = fakeIo();
    await box.run(["deploy", "https://example.org/blog", "--verbose"], io);
    expect(io.stderr()).toContain("  npm ci\n  added 3 packages\n");
  });

  test("shows the explanation of a failure and what it rests on, not the log's end too, and exits with 1", async () => {
    using box = playing({ looks: [building, failed], log: "step 1\nnpm ERR! boom" });
    const io = fakeIo();
    expect(await box.run(["deploy", "https://example.org/blog"], io)).toBe(1);
    expect(io.stdout()).toBe("");
    expect(io.stderr()).toContain(
      "The build failed (build_failed)\nnpm ci ended with code 1.\n  │ npm ERR! missing script\nTry: Run npm ci",
    );
    expect(io.stderr()).not.toContain("boom");
    expect(io.stderr()).toEndWith("\nblog v4 goes on serving.\n");
  });

  test("shows the log's end where the explanation rests on nothing", async () => {
    const bare = { ...failed, error: { ...why, evidence: [] } };
    using box = playing({ looks: [building, bare], log: "step 1\nnpm ERR! boom" });
    const io = fakeIo();
    expect(await box.run(["deploy", "https://example.org/blog"], io)).toBe(1);
    expect(io.stderr()).toContain("│ npm ERR! boom\n");
  });

  test("says which processes nobody started, and how", async () => {
    const formation = [
      { process: "web", quantity: 1 },
      { process: "worker", quantity: 0 },
    ];
    const before = ({ path }: Asked) =>
      path === "/apps/blog/formation" ? Response.json(formation) : undefined;
    using box = playing({ looks: [building, live], before });
    const io = fakeIo();
    expect(await box.run(["deploy", "https://example.org/blog"], io)).toBe(0);
    expect(io.stderr()).toEndWith("Not started: worker. To start: diplo ps:scale -a blog worker=1\n");
  });

  test("refuses a branch, tag or commit of a directory, before anything is sent", async () => {
    using box = playing({ looks: [live] });
    const directory = join(box.data, "site");
    mkdirSync(directory);
    writeFileSync(join(directory, "index.html"), "hello");
    for (const flag of ["--branch", "--tag", "--commit"]) {
      const io = fakeIo({ directory });
      expect(await box.run(["deploy", ".", flag, "v1"], io)).toBe(2);
      expect(io.stderr()).toContain(`${flag} is for a git URL; a directory is sent as it is`);
    }
    expect(box.asked).toEqual([]);
  });

  test("--no-wait prints the deployment's id and leaves", async () => {
    using box = playing({ looks: [building] });
    const io = fakeIo();
    expect(await box.run(["deploy", "https://example.org/blog", "--no-wait"], io)).toBe(0);
    expect(io.stdout()).toBe("01D\n");
    expect(box.asked).toHaveLength(1);
  });

  test("--json lets the box wait and prints its answer, a failure's problem document too", async () => {
    const answer = {
      id: "01A",
      name: "blog",
      port: 3000,
      url: "http://blog.local",
      status: "running",
      health: "healthy",
    };
    using box = new FakeBox(() => Response.json(answer, { status: 201 }));
    const io = fakeIo();
    expect(await box.run(["deploy", "https://example.org/blog", "--json"], io)).toBe(0);
    expect(box.asked[0]?.body).toMatchObject({ wait: true });
    expect(JSON.parse(io.stdout())).toEqual(answer);
    using refusing = new FakeBox(() =>
      problem(422, "build_failed", "npm ci failed", { deployment_id: "01D" }),
    );
    const refused = fakeIo();
    expect(await refusing.run(["deploy", "https://example.org/blog", "--json"], refused)).toBe(1);
    expect(JSON.parse(refused.stdout())).toMatchObject({ code: "build_failed", deployment_id: "01D" });
  });

  test("goes on following when the daemon is restarted meanwhile", async () => {
    let broken = 0;
    using box = playing({
      looks: [building, building, live],
      before: ({ path, headers }) => {
        if (path !== "/jobs/01J/events" || broken++ > 0) return undefined;
        expect(headers.get("last-event-id")).toBeNull();
        return new Response("id: 7\nevent: task.updated\ndata: {}\n\n", {
          headers: { "content-type": "text/event-stream" },
        });
      },
    });
    const io = fakeIo();
    expect(await box.run(["deploy", "https://example.org/blog"], io)).toBe(0);
    const resumed = box.asked.filter(({ path }) => path === "/jobs/01J/events");
    expect(resumed.map(({ headers }) => headers.get("last-event-id"))).toEqual([null, "7"]);
    expect(io.stderr()).toContain("The connection broke; the deployment goes on");
  });
});

describe("Ctrl-C while following", () => {
  /** A deployment that stays at building until `ends` is set. */
  function lasting() {
    const state = { now: building, cancelled: false };
    const box = playing({
      looks: [building],
      before: ({ path, method }) => {
        if (path === "/deployments/01D/cancel") {
          state.cancelled = true;
          state.now = deployment({ status: "cancelled" });
          return Response.json(state.now);
        }
        if (path === "/deployments/01D") return Response.json(state.now);
        if (path !== "/jobs/01J/events" || method !== "GET") return undefined;
        const body = new ReadableStream({
          async pull(controller) {
            await Bun.sleep(10);
            controller.enqueue(new TextEncoder().encode("event: task.updated\ndata: {}\n\n"));
          },
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      },
    });
    return { box, state };
  }

  async function until(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error("it did not happen");
      await Bun.sleep(5);
    }
  }

  test("leaves the deployment going, with 130", async () => {
    const { box, state } = lasting();
    using _box = box;
    const io = fakeIo();
    const running = box.run(["deploy", "https://example.org/blog"], io);
    await until(() => io.stderr().includes("building"));
    io.interrupt();
    expect(await running).toBe(130);
    expect(io.stderr()).toContain("The deployment goes on");
    expect(state.cancelled).toBe(false);
  });

  test("pressed twice on a terminal cancels it, with 130", async () => {
    const { box, state } = lasting();
    using _box = box;
    const io = fakeIo({ terminal: true });
    const running = box.run(["deploy", "https://example.org/blog"], io);
    await until(() => io.stderr().includes("building"));
    io.interrupt();
    io.interrupt();
    expect(await running).toBe(130);
    expect(state.cancelled).toBe(true);
    expect(io.stderr()).toContain("Cancelled; the old release goes on serving.");
  });
});

describe("diplo deploy of a directory", () => {
  test("sends it without what .gitignore names and gives the app its name", async () => {
    const parent = mkdtempSync(join(tmpdir(), "diplo-dir-"));
    const directory = join(parent, "My Blog!");
    mkdirSync(directory);
    writeFileSync(join(directory, "index.html"), "<h1>hello</h1>");
    writeFileSync(join(directory, ".gitignore"), "secret.txt\n");
    writeFileSync(join(directory, "secret.txt"), "hunter2");
    using box = playing({ looks: [live] });
    expect(await box.run(["deploy", ".", "--no-wait"], fakeIo({ directory }))).toBe(0);
    const upload = box.asked.find(({ path }) => path === "/apps/my-blog/uploads");
    expect(upload?.headers.get("content-type")).toBe("application/x-tar");
    expect(upload?.body).toContain("<h1>hello</h1>");
    expect(upload?.body).not.toContain("hunter2");
    expect(box.asked.at(-1)?.body).toMatchObject({ upload_id: "01U", name: "my-blog", wait: false });
    rmSync(parent, { recursive: true });
  });
});

describe("diplo deploy of an archive", () => {
  test("sends it byte for byte", async () => {
    using box = playing({ looks: [live] });
    const file = join(box.data, "My Site.zip");
    writeFileSync(file, "PK zip bytes");
    expect(await box.run(["deploy", file, "--no-wait"], fakeIo())).toBe(0);
    expect(box.asked[0]).toMatchObject({ path: "/apps/my-site/uploads", body: "PK zip bytes" });
    expect(box.asked.at(-1)?.body).toMatchObject({ upload_id: "01U", name: "my-site" });
  });
});

describe("diplo deploy on a terminal, the first time", () => {
  const config = (name: string, over: object = {}) => ({
    name,
    value: "",
    description: "",
    required: false,
    secret: false,
    generated: false,
    pattern: null,
    from: "app.json",
    ...over,
  });
  const found = {
    ...detected,
    config: [
      config("GREETING", { value: "hello", description: "What it says" }),
      config("API_KEY", { secret: true, required: true }),
      config("SALT", { generated: true, secret: true }),
      config("GIVEN", { required: true }),
      config("LATER"),
    ],
    warnings: ["no lockfile"],
  };
  const first = (looks: Deployment[], look: (asked: Asked) => Response) =>
    playing({
      looks,
      before: (asked) => {
        if (asked.path === "/sources/look") return look(asked);
        if (asked.path === "/apps/blog" && looks[0]?.status !== "success")
          return problem(404, "app_not_found", "There is no such thing.");
        return undefined;
      },
    });
  const bodyOf = (box: FakeBox, path: string) => box.asked.find((asked) => asked.path === path)?.body;

  test("shows what was found and asks for its config, secrets unechoed", async () => {
    using box = first([building], () => Response.json(found));
    const io = fakeIo({ terminal: true, answers: ["", "s3cret", "", ""] });
    const line = ["deploy", "https://example.org/blog", "--branch", "dev", "-e", "GIVEN=1", "--no-wait"];
    expect(await box.run(line, io)).toBe(0);
    expect(bodyOf(box, "/sources/look")).toEqual({ repo_url: "https://example.org/blog", branch: "dev" });
    expect(bodyOf(box, "/deploy")).toMatchObject({
      env_vars: [
        { name: "GIVEN", value: "1" },
        { name: "GREETING", value: "hello" },
        { name: "API_KEY", value: "s3cret" },
      ],
    });
    expect(Bun.stripANSI(io.stderr())).toContain("Builder  node  (package.json)\nnote: no lockfile\n");
    expect(Bun.stripANSI(io.stderr())).toContain("# What it says\nGREETING [hello]: \nAPI_KEY: (hidden)\n");
    expect(io.stderr()).toContain("SALT [a random one]: (hidden)");
  });

  test("asks nothing with --yes, with --json, and without a terminal", async () => {
    for (const [line, terminal] of [
      [["--yes"], true],
      [["--json"], true],
      [[], false],
    ] as const) {
      using box = first([building], () => Response.json(found));
      await box.run(["deploy", "https://example.org/blog", "--no-wait", ...line], fakeIo({ terminal }));
      expect(bodyOf(box, "/sources/look")).toBeUndefined();
      expect(bodyOf(box, "/deploy")).toMatchObject({ repo_url: "https://example.org/blog" });
    }
  });

  test("asks for a token where the repository is private, and looks again with it", async () => {
    using box = first([building], ({ body }) =>
      (body as { github_token?: string }).github_token === "ghp_1"
        ? Response.json(detected)
        : problem(422, "auth_failed", "It asks for credentials."),
    );
    const io = fakeIo({ terminal: true, answers: [" ghp_1 "] });
    expect(await box.run(["deploy", "https://example.org/blog", "--no-wait"], io)).toBe(0);
    expect(io.stderr()).toContain("A token that may read it (Enter stops): (hidden)");
    expect(bodyOf(box, "/deploy")).toMatchObject({ github_token: "ghp_1" });
    using refusing = first([building], () => problem(422, "auth_failed", "It asks for credentials."));
    const leaving = fakeIo({ terminal: true, answers: [""] });
    expect(await refusing.run(["deploy", "https://example.org/blog"], leaving)).toBe(1);
    expect(bodyOf(refusing, "/deploy")).toBeUndefined();
  });

  test("makes the app's key for an ssh address and waits until it was added", async () => {
    let added = false;
    using box = playing({
      looks: [building],
      before: ({ path, method }) => {
        if (path === "/sources/look" && added) return Response.json(detected);
        if (path === "/sources/look") {
          added = true;
          return problem(422, "auth_failed", "No entry.", { hint: "Add this deploy key: ssh-ed25519 AAAA" });
        }
        if (path === "/apps" && method === "POST") return Response.json({}, { status: 201 });
        if (path === "/apps/blog/deploy-key") return Response.json({ public_key: "ssh-ed25519 AAAA" });
        return path === "/apps/blog" ? problem(404, "app_not_found", "None.") : undefined;
      },
    });
    const io = fakeIo({ terminal: true, answers: [""] });
    expect(await box.run(["deploy", "git@example.org:you/blog.git", "--no-wait"], io)).toBe(0);
    expect(io.stderr()).toContain("Add this deploy key: ssh-ed25519 AAAA\nEnter when it is there");
    expect(bodyOf(box, "/sources/look")).toMatchObject({ app: "blog" });
    expect(bodyOf(box, "/deploy")).toMatchObject({ repo_url: "git@example.org:you/blog.git" });
  });
});

test("diplo deploy takes token and password from stdin or a file, never from the command line", async () => {
  using box = playing({ looks: [building] });
  const deploy = (flags: string[], stdin = "") =>
    box.run(["deploy", "https://example.org/blog", "--no-wait", ...flags], fakeIo({ stdin }));
  expect(await deploy(["--token", "ghp_plain"])).toBe(2);
  expect(await deploy(["--username", "ada", "--password", "plain"])).toBe(2);
  expect(box.asked).toEqual([]);
  expect(await deploy(["--token", "-"], "ghp_1\n")).toBe(0);
  expect(box.asked.at(-1)?.body).toMatchObject({ github_token: "ghp_1" });
  writeFileSync(join(box.data, "pw"), "s3cret\n");
  expect(await deploy(["--username", "ada", "--password", `@${join(box.data, "pw")}`])).toBe(0);
  expect(box.asked.at(-1)?.body).toMatchObject({ credential: { username: "ada", password: "s3cret" } });
});

test("diplo deploy --if-changed says that there is nothing to deploy", async () => {
  const answer = { name: "blog", changed: false, reason: "v3 is 01234567 already", commit: "0", release: 3 };
  using box = new FakeBox(() => Response.json(answer));
  const io = fakeIo();
  expect(await box.run(["deploy", "https://example.org/blog", "--if-changed"], io)).toBe(0);
  expect(box.asked[0]?.body).toMatchObject({ if_changed: true });
  expect(io.stdout()).toBe("blog: nothing to deploy: v3 is 01234567 already\n");
  const again = fakeIo();
  expect(await box.run(["deploy:again", "-a", "blog", "--if-changed"], again)).toBe(0);
  expect(again.stdout()).toBe(io.stdout());
});

describe("chooseSource", () => {
  const place = mkdtempSync(join(tmpdir(), "diplo-source-"));
  Bun.spawnSync(["git", "init", "-q", join(place, "checkout")]);
  Bun.spawnSync(["git", "init", "-q", "--bare", join(place, "bare.git")]);
  writeFileSync(join(place, "file"), "");
  mkdirSync(join(place, "empty"));

  test("takes URLs as they are", () => {
    for (const url of [
      "https://example.org/a.git",
      "git://127.0.0.1/a",
      "file:///srv/a",
      "git@github.com:you/app.git",
      "ssh://git@host/x",
    ])
      expect(chooseSource(url, place)).toEqual({ kind: "git", url });
  });

  test("sends a directory, also one that is a checkout, and fetches from a bare repository", () => {
    expect(chooseSource("checkout", place)).toMatchObject({ kind: "directory", name: "checkout" });
    expect(chooseSource("./checkout/", place)).toMatchObject({ kind: "directory" });
    expect(chooseSource("bare.git", place)).toEqual({ kind: "git", url: join(place, "bare.git") });
    expect(chooseSource(".", place)).toMatchObject({
      name: basename(place)
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "-"),
    });
  });

  test("completes an address as people copy it", () => {
    expect(chooseSource("github.com/you/app", place)).toEqual({
      kind: "git",
      url: "https://github.com/you/app",
    });
  });

  test("refuses what is nowhere", () => {
    for (const [word, message] of [
      ["./nothing", "no directory"],
      ["file", "neither a directory nor an archive"],
      ["empty", "is empty"],
      ["nothing", "neither"],
      ["/nonexistent/x", "no directory"],
    ] as const)
      expect(() => chooseSource(word, place)).toThrow(message);
  });
});

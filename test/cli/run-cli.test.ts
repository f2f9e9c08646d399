import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/run-cli.ts";
import { readConfig } from "../../src/config.ts";
import { FakeBox, problem, routes } from "./fake-box.ts";
import { fakeIo } from "./fake-io.ts";
import { app } from "./samples.ts";

const ok = routes({ "GET /apps": [app()], "GET /apps/blog": app() });

describe("runCli speaks to the box", () => {
  test("over its socket, as the owner, and prints a table for people", async () => {
    using box = new FakeBox(ok);
    const io = fakeIo();
    expect(await box.run(["apps"], io)).toBe(0);
    expect(box.asked[0]?.headers.has("authorization")).toBe(false);
    expect(io.stdout()).toBe(
      "APP   STATE    RELEASE   UP  DEPLOYED   ADDRESS\n" +
        "blog  running  v4       1/1  3 min ago  http://blog.local\n",
    );
  });

  test("by DIPLO_URL with a token", async () => {
    using box = new FakeBox(ok, true);
    const url = `http://127.0.0.1:${box.server.port}`;
    expect(await box.run(["apps"], fakeIo(), { DIPLO_URL: url, DIPLO_TOKEN: "dpl_secret" })).toBe(0);
    expect(box.asked[0]?.headers.get("authorization")).toBe("Bearer dpl_secret");
  });

  test("with what login kept, in a file that only its owner reads", async () => {
    using box = new FakeBox(routes({ "GET /system/info": { version: "9" }, "GET /apps": [] }), true);
    const url = `http://127.0.0.1:${box.server.port}`;
    const env = { XDG_CONFIG_HOME: box.data, HOME: box.data };
    const config = (flags: object) => ({
      ...readConfig(flags as never, env),
      data: join(box.data, "nowhere"),
    });
    expect(
      await runCli(["login", `127.0.0.1:${box.server.port}`], fakeIo({ stdin: "dpl_abc\n" }), { config }),
    ).toBe(0);
    const file = join(box.data, "diplo/credentials.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await Bun.file(file).json()).toEqual({ url, token: "dpl_abc" });
    expect(await runCli(["apps"], fakeIo(), { config })).toBe(0);
    expect(box.asked.at(-1)?.headers.get("authorization")).toBe("Bearer dpl_abc");
    expect(await runCli(["logout"], fakeIo(), { config })).toBe(0);
    expect(await Bun.file(file).exists()).toBe(false);
  });

  test("but keeps no token that the box refuses", async () => {
    using box = new FakeBox(() => problem(401, "unauthorized", "This token is not known."), true);
    const io = fakeIo({ stdin: "dpl_wrong" });
    expect(await box.run(["login", `http://127.0.0.1:${box.server.port}`], io)).toBe(4);
    expect(await Bun.file(join(box.data, "diplo/credentials.json")).exists()).toBe(false);
    expect(io.stderr() + io.stdout()).not.toContain("dpl_wrong");
  });
});

describe("runCli says plainly when", () => {
  const at = (data: string, env = {}) => ({
    config: (flags: object) =>
      readConfig(flags as never, { DIPLO_DATA: data, XDG_CONFIG_HOME: data, ...env }),
  });

  test("no box is there", async () => {
    const io = fakeIo();
    expect(await runCli(["apps"], io, at("/nonexistent/diplo"))).toBe(1);
    expect(io.stderr()).toContain("Diplo is not running here");
    expect(io.stderr()).toContain("diplo serve");
  });

  test("the socket was left behind by a dead daemon", async () => {
    const data = mkdtempSync(join(tmpdir(), "diplo-stale-"));
    const child = Bun.spawn([
      process.execPath,
      "-e",
      `Bun.serve({ unix: "${data}/control.sock", fetch: () => new Response() }); process.kill(process.pid, "SIGKILL")`,
    ]);
    await child.exited;
    const io = fakeIo();
    expect(await runCli(["apps"], io, at(data))).toBe(1);
    expect(io.stderr()).toContain("nobody answers at");
    rmSync(data, { recursive: true });
  });

  test.skipIf(process.getuid?.() !== 0)("the socket is not for this user", async () => {
    using box = new FakeBox(ok);
    chmodSync(box.data, 0o700);
    const script = `const { runCli } = await import(${JSON.stringify(join(import.meta.dir, "../../src/cli/run-cli.ts"))});
      const { readConfig } = await import(${JSON.stringify(join(import.meta.dir, "../../src/config.ts"))});
      process.setgroups([]); process.setegid(65534); process.seteuid(65534);
      process.exit(await runCli(["apps"], undefined, { config: () => readConfig({}, { DIPLO_DATA: ${JSON.stringify(box.data)}, HOME: "/" }) }));`;
    const child = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" });
    expect(await child.exited).toBe(4);
    expect(await new Response(child.stderr).text()).toContain("usermod -aG diplo");
  });

  test("the box elsewhere does not answer", async () => {
    const io = fakeIo();
    expect(await runCli(["apps"], io, at("/nonexistent", { DIPLO_URL: "http://127.0.0.1:1" }))).toBe(1);
    expect(io.stderr()).toContain("http://127.0.0.1:1 does not answer");
  });

  test("the address belongs to something else", async () => {
    using box = new FakeBox(() => new Response("<html>"), true);
    const io = fakeIo();
    expect(await box.run(["apps"], io, { DIPLO_URL: `http://127.0.0.1:${box.server.port}` })).toBe(1);
    expect(io.stderr()).toContain("is it a Diplo?");
  });
});

describe("runCli exits with", () => {
  const cases: [string, number, string[], () => Response][] = [
    [
      "1 for what the box refuses",
      1,
      ["apps:info", "shop"],
      () => problem(404, "app_not_found", 'There is no app "shop".'),
    ],
    ["4 for what is not allowed", 4, ["apps"], () => problem(403, "forbidden", "This needs apps:read.")],
    ["4 for an unknown token", 4, ["apps"], () => problem(401, "unauthorized", "Sign in.")],
    ["1 for a fault of the box", 1, ["apps"], () => problem(500, "internal", "Something went wrong.")],
  ];
  for (const [name, code, argv, answer] of cases)
    test(name, async () => {
      using box = new FakeBox(answer);
      const io = fakeIo();
      expect(await box.run(argv, io)).toBe(code);
      expect(io.stdout()).toBe("");
      expect(io.stderr()).toStartWith("diplo: ");
    });

  test("2 for a wrong command line, without asking the box", async () => {
    using box = new FakeBox(ok);
    for (const argv of [
      ["aps"],
      ["apps", "--x"],
      ["apps:create"],
      ["ps:scale", "-a", "blog", "web"],
      ["ps:scale", "-a", "b", "web=x"],
      ["apps", "more"],
    ])
      expect([argv, await box.run(argv)]).toEqual([argv, 2]);
    expect(box.asked).toEqual([]);
  });

  test("2 for a bad setting", async () => {
    const io = fakeIo();
    expect(await runCli(["apps"], io, { config: () => readConfig({}, { DIPLO_CONTROL: "nonsense" }) })).toBe(
      2,
    );
    expect(io.stderr()).toContain("DIPLO_CONTROL");
  });

  test("0, 1 and 2 as doctor finds all well, warnings, faults", async () => {
    for (const [status, code] of [
      ["ok", 0],
      ["warning", 1],
      ["fault", 2],
    ] as const) {
      const checks = [{ name: "disk", status, detail: "1 GiB free", remedy: "remove apps" }];
      using box = new FakeBox(() => Response.json({ status, checks }));
      const io = fakeIo();
      expect(await box.run(["doctor"], io)).toBe(code);
      expect(io.stdout().includes("→ remove apps")).toBe(code > 0);
    }
  });
});

test("runCli doctor examines the machine from here while no box runs", async () => {
  const data = mkdtempSync(join(tmpdir(), "diplo-down-"));
  const io = fakeIo();
  const config = (flags: object) =>
    readConfig(flags as never, {
      DIPLO_DATA: data,
      HOME: data,
      DOCKER_HOST: "unix:///nonexistent/docker.sock",
    });
  expect(await runCli(["doctor", "--json"], io, { config })).toBe(2);
  const { checks } = JSON.parse(io.stdout());
  expect(checks[0]).toMatchObject({ name: "diplo", status: "fault" });
  expect(checks.find(({ name }: { name: string }) => name === "engine")).toMatchObject({ status: "fault" });
  expect(checks.find(({ name }: { name: string }) => name === "disk")).toBeDefined();
  rmSync(data, { recursive: true });
});

describe("runCli asks", () => {
  const asks: [string[], string, string, unknown?][] = [
    [["apps", "create", "shop"], "POST", "/apps", { name: "shop" }],
    [
      ["apps:set", "-a", "blog", "--health.path", "/up", "--limits.cpus=none"],
      "PATCH",
      "/apps/blog",
      { health: { path: "/up" }, limits: { cpus: null } },
    ],
    [
      ["ps:scale", "-a", "blog@staging", "web=3", "worker=0"],
      "PATCH",
      "/apps/blog@staging/formation",
      { web: 3, worker: 0 },
    ],
    [["config:set", "-a", "blog", "A=1", "B=x=y z"], "PATCH", "/apps/blog/env", { A: "1", B: "x=y z" }],
    [["config:unset", "-a", "blog", "A"], "PATCH", "/apps/blog/env", { A: null }],
    [["config:get", "-a", "blog", "A/B"], "GET", "/apps/blog/env/A%2FB"],
    [["config", "-a", "blog", "--reveal"], "GET", "/apps/blog/env?reveal=true"],
    [["rollback", "-a", "blog", "v3"], "POST", "/apps/blog/rollback", { release: 3, wait: false }],
    [["rollback", "blog", "v3"], "POST", "/apps/blog/rollback", { release: 3, wait: false }],
    [["releases:info", "-a", "blog", "3"], "GET", "/apps/blog/releases/3"],
    [
      ["storage:add", "-a", "blog", "/data", "--read-only"],
      "POST",
      "/apps/blog/volumes",
      { mount_path: "/data", read_only: true },
    ],
    [
      ["apps:destroy", "blog", "--confirm", "blog", "--destroy-data"],
      "DELETE",
      "/apps/blog?confirm=blog&destroy_data=true",
    ],
    [
      ["tokens:create", "ci", "--scopes", "read,deploy"],
      "POST",
      "/tokens",
      { name: "ci", scopes: ["read", "deploy"] },
    ],
    [["apps:info", "../../x"], "GET", "/apps/..%2F..%2Fx"],
  ];
  for (const [argv, method, path, body] of asks)
    test(argv.join(" "), async () => {
      using box = new FakeBox(() => problem(503, "stop", "Enough."));
      expect(await box.run(argv)).toBe(1);
      expect(box.asked[0]).toMatchObject({ method, path });
      if (body !== undefined) expect(box.asked[0]?.body).toEqual(body);
    });

  test("for an app named by DIPLO_APP, by the git remote, by the directory, and prefers what was typed", async () => {
    const place = mkdtempSync(join(tmpdir(), "diplo-app-"));
    const directory = join(place, "blog");
    mkdirSync(directory);
    using box = new FakeBox(ok);
    const first = async (argv: string[], env = {}) => {
      box.asked.length = 0;
      await box.run(argv, fakeIo({ directory }), env);
      return box.asked.at(-1)?.path;
    };
    expect(await first(["ps"])).toBe("/apps/blog/instances");
    expect(await first(["rollback", "v3"])).toBe("/apps/blog/rollback");
    Bun.spawnSync(["git", "init", "-q", directory]);
    Bun.spawnSync(["git", "-C", directory, "remote", "add", "diplo", "https://box.local/git/shop.git"]);
    expect(await first(["ps"])).toBe("/apps/shop/instances");
    expect(await first(["ps"], { DIPLO_APP: "mail" })).toBe("/apps/mail/instances");
    expect(await first(["ps", "-a", "chat"], { DIPLO_APP: "mail" })).toBe("/apps/chat/instances");
    expect(await first(["ps", "wiki"], { DIPLO_APP: "mail" })).toBe("/apps/wiki/instances");
    rmSync(place, { recursive: true });
  });

  test("which app, when nothing tells", async () => {
    using box = new FakeBox(ok);
    const io = fakeIo({ directory: "/var/tmp" });
    expect(await box.run(["ps"], io)).toBe(2);
    expect(io.stderr()).toContain("-a NAME");
  });
});

describe("runCli config:set", () => {
  const changed = routes({ "PATCH /apps/blog/env": { vars: [], changed: ["SECRET"], deployment_id: null } });

  test("takes values from stdin and files byte for byte", async () => {
    using box = new FakeBox(changed);
    const value = `pa$$word "q" 'q' \\n\n\u{1f511}é`;
    const big = "x".repeat(100_000);
    writeFileSync(join(box.data, "big"), big);
    const io = fakeIo({ stdin: value, directory: box.data });
    expect(await box.run(["config:set", "-a", "blog", "SECRET=-", "BIG=@big", "PLAIN=pa$$"], io)).toBe(0);
    expect(box.asked[0]?.body).toEqual({ SECRET: value, BIG: big, PLAIN: "pa$$" });
  });

  test("keeps echo's newline and says so", async () => {
    using box = new FakeBox(changed);
    const io = fakeIo({ stdin: "hunter2\n" });
    await box.run(["config:set", "-a", "blog", "SECRET=-"], io);
    expect(box.asked[0]?.body).toEqual({ SECRET: "hunter2\n" });
    expect(io.stderr()).toContain("ends with a newline");
    expect(io.stderr()).not.toContain("hunter2");
  });

  test("asks for the value on a terminal", async () => {
    using box = new FakeBox(changed);
    await box.run(["config:set", "-a", "blog", "SECRET=-"], fakeIo({ terminal: true, answers: ["typed"] }));
    expect(box.asked[0]?.body).toEqual({ SECRET: "typed" });
  });

  test("refuses two values from one stdin, a missing file and what is no text", async () => {
    using box = new FakeBox(changed);
    expect(await box.run(["config:set", "-a", "blog", "A=-", "B=-"], fakeIo({ stdin: "x" }))).toBe(2);
    expect(await box.run(["config:set", "-a", "blog", "A=@/nonexistent"])).toBe(2);
    expect(
      await box.run(["config:set", "-a", "blog", "A=-"], fakeIo({ stdin: new Uint8Array([0xff]) })),
    ).toBe(2);
    expect(box.asked).toEqual([]);
  });
});

test("runCli --json prints the API's own JSON, and a refusal's problem document", async () => {
  using box = new FakeBox(routes({ "GET /apps": [app()] }));
  const io = fakeIo({ terminal: true });
  expect(await box.run(["apps", "--json"], io)).toBe(0);
  expect(JSON.parse(io.stdout())).toEqual([app()]);
  const refused = fakeIo();
  expect(await box.run(["apps:info", "x", "--json"], refused)).toBe(1);
  expect(JSON.parse(refused.stdout())).toMatchObject({ code: "app_not_found", status: 404 });
});

test("runCli shows each wrong field, the evidence and the hint of a refusal", async () => {
  using box = new FakeBox(() =>
    problem(422, "invalid", "Not like this.", {
      errors: [{ field: "name", message: "must be a DNS label" }],
      evidence: ["line\x1b[2J"],
      hint: "Use a-z.",
    }),
  );
  const io = fakeIo();
  expect(await box.run(["apps:create", "Shop!"], io)).toBe(1);
  expect(io.stderr()).toBe("diplo: Not like this.\n  name: must be a DNS label\n  │ line[2J\nUse a-z.\n");
});

describe("runCli apps:destroy", () => {
  const answer = routes({ "DELETE /apps/blog?confirm=blog": { job_id: "01J", kept_volumes: ["data"] } });

  test("wants the name typed on a terminal and changes nothing for another one", async () => {
    using box = new FakeBox(answer);
    expect(await box.run(["apps:destroy", "blog"], fakeIo({ terminal: true, answers: ["blgo"] }))).toBe(2);
    expect(box.asked).toEqual([]);
    const io = fakeIo({ terminal: true, answers: ["blog"] });
    await box.run(["apps:destroy", "blog", "--no-wait"], io);
    expect(box.asked).toHaveLength(1);
    expect(io.stdout()).toContain("Volumes kept: data");
  });

  test("wants --confirm where nobody can be asked", async () => {
    using box = new FakeBox(answer);
    const io = fakeIo();
    expect(await box.run(["apps:destroy", "blog"], io)).toBe(2);
    expect(io.stderr()).toContain("--confirm blog");
  });
});

test("runCli leaves out what has a default, and tells which verb a stray argument is a slip for", async () => {
  using box = new FakeBox(routes({ "GET /apps/blog/requests": [] }));
  const io = fakeIo();
  expect(await box.run(["requests", "blog"], io)).toBe(0);
  expect(io.stdout()).toBe("No requests in this time.\n");
  const slip = fakeIo();
  expect(await box.run(["ps", "scal", "web=2", "-a", "blog"], slip)).toBe(2);
  expect(slip.stderr()).toContain("Did you mean: diplo ps:scale\n");
});

test("runCli takes no secret from the command line", async () => {
  using box = new FakeBox(() => problem(503, "stop", "Enough."));
  const io = fakeIo();
  expect(await box.run(["deploy", "https://example.org/x", "--github-token", "ghp_secret"], io)).toBe(2);
  expect(io.stderr()).not.toContain("ghp_secret");
  expect(box.asked).toEqual([]);
  await box.run(
    ["deploy", "https://example.org/x", "--github-token", "-"],
    fakeIo({ stdin: "ghp_secret\n" }),
  );
  expect(box.asked[0]?.body).toMatchObject({ github_token: "ghp_secret" });
});

test("runCli help lists what exists, and only that", async () => {
  const io = fakeIo();
  expect(await runCli([], io)).toBe(0);
  for (const verb of ["deploy <git-url|dir|archive>", "config:set", "rollback", "doctor", "serve", "login"])
    expect(io.stdout()).toContain(verb);
  expect(io.stdout()).not.toContain("undefined");
  const one = fakeIo();
  expect(await runCli(["ps", "scale", "--help"], one)).toBe(0);
  expect(one.stdout()).toContain("diplo ps:scale NAME=VALUE…");
  expect(one.stdout()).toContain("Example: diplo ps:scale -a blog web=3 worker=1");
});

test("runCli prints colours on a terminal, and none when NO_COLOR is set or output is piped", async () => {
  using box = new FakeBox(ok);
  const printed = async (terminal: boolean, env = {}) => {
    const io = fakeIo({ terminal });
    await box.run(["apps"], io, env);
    return io.stdout().includes("\x1b[");
  };
  expect([await printed(true), await printed(false), await printed(true, { NO_COLOR: "1" })]).toEqual([
    true,
    false,
    false,
  ]);
});

test("runCli takes --version and -V for the verb, as people type it", async () => {
  for (const flag of ["version", "--version", "-V"]) {
    const io = fakeIo();
    expect(await runCli([flag], io, { config: (flags) => readConfig(flags as never, {}) })).toBe(0);
    expect(io.stdout()).toMatch(/^diplo \d/);
  }
});

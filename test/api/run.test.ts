import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { DiploError, notFound } from "../../src/errors.ts";
import type { OneOff } from "../../src/product/instances/run-one-off.ts";
import { type ControlBox, startControlBox } from "./control-box.ts";

let box: ControlBox;
let asked: OneOff | null;
/** What the command does. */
let behave: (oneOff: OneOff) => Promise<number>;
let ended: AbortSignal | null;

const stubs = {
  apps: {
    get: (name: string) => {
      if (name !== "blog") throw notFound("app", name);
    },
  },
  instances: {
    runOnce: async (_app: string, oneOff: OneOff) => {
      asked = oneOff;
      ended = oneOff.signal;
      return { exit_code: await behave(oneOff) };
    },
  },
};

beforeAll(async () => {
  box = await startControlBox({ stubs });
});
afterAll(() => box[Symbol.asyncDispose]());
beforeEach(() => {
  asked = null;
  ended = null;
});

const bytes = (text: string) => new TextEncoder().encode(text);
const echo = async ({ stdin, onOutput }: OneOff) => {
  for (const reader = stdin?.getReader(); ; ) {
    const piece = await reader?.read();
    if (!piece || piece.done) return 0;
    onOutput(piece.value, "stdout");
  }
};
const untilAborted = ({ signal }: OneOff) =>
  new Promise<number>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

const post = (body: object, init: RequestInit = {}, app = "blog") =>
  fetch(`${box.url}/api/v1/apps/${app}/run`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${box.token(["run"])}`, "content-type": "application/json" },
    ...init,
  });

/** A client of the run socket: frames as they came. */
class Client {
  readonly texts: { type: string; [name: string]: unknown }[] = [];
  readonly output: Record<number, Uint8Array[]> = { 1: [], 2: [] };
  readonly closed: Promise<number>;
  readonly opened: Promise<void>;

  constructor(readonly ws: WebSocket) {
    ws.binaryType = "arraybuffer";
    ws.onmessage = ({ data }) => {
      if (typeof data === "string") return void this.texts.push(JSON.parse(data));
      const frame = new Uint8Array(data);
      this.output[frame[0] as number]?.push(frame.subarray(1));
    };
    this.opened = new Promise((resolve, reject) => {
      ws.onopen = () => resolve();
      ws.onerror = () => reject(new Error("refused"));
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      ws.onclose = ({ code }) => resolve(code);
    });
  }

  static async tcp(headers: Record<string, string>, app = "blog"): Promise<Client> {
    const url = `${box.url.replace("http", "ws")}/api/v1/apps/${app}/run/socket`;
    const client = new Client(new WebSocket(url, { headers } as unknown as string[]));
    await client.opened;
    return client;
  }

  say(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  text(stream: 1 | 2): string {
    return Buffer.concat(this.output[stream] ?? []).toString();
  }
}
const withToken = () => Client.tcp({ authorization: `Bearer ${box.token(["run"])}` });

test("POST run answers output as NDJSON and the exit code at the end", async () => {
  behave = async ({ onOutput }) => {
    onOutput(bytes("out\n"), "stdout");
    onOutput(new Uint8Array([0, 255]), "stderr");
    return 3;
  };
  const response = await post({
    command: ["rake", "db:migrate"],
    env: { A: "pa$$" },
    tty: true,
    size: { columns: 80, rows: 24 },
  });
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const frames = (await response.text())
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  expect(frames).toEqual([
    { stream: "stdout", data: btoa("out\n") },
    { stream: "stderr", data: "AP8=" },
    { exit_code: 3 },
  ]);
  expect(asked).toMatchObject({ command: ["rake", "db:migrate"], tty: true, stdin: null });
  expect(asked?.env).toEqual({ COLUMNS: "80", LINES: "24", A: "pa$$" });
});

test("POST run says why it did not run, without a foreign message", async () => {
  behave = async () => {
    throw new Error("hunter2");
  };
  const text = await (await post({ command: ["x"] })).text();
  expect(JSON.parse(text)).toMatchObject({ error: { code: "internal" } });
  expect(text).not.toContain("hunter2");
});

test("POST run ends the command when the client leaves", async () => {
  behave = untilAborted;
  const leave = new AbortController();
  const response = await post({ command: ["sleep", "1000"] }, { signal: leave.signal });
  expect(ended?.aborted).toBe(false);
  leave.abort();
  await response.text().catch(() => {});
  await new Promise((resolve) => (ended?.aborted ? resolve(0) : ended?.addEventListener("abort", resolve)));
});

test("POST run refuses what is no command, and an unknown app, before it begins", async () => {
  behave = echo;
  for (const body of [{}, { command: [] }, { command: "ls" }, { command: ["ls"], shell: true }])
    expect((await post(body)).status).toBe(body.command === "ls" ? 200 : 422);
  expect((await post({ command: ["ls"] }, {}, "other")).status).toBe(404);
});

test("a run is audited with its program, not with its arguments", async () => {
  behave = async () => 0;
  await (await post({ command: ["psql", "--password=hunter2"] })).text();
  const [entry] = box.parts.audit.list();
  expect(entry).toMatchObject({
    action: "app.command_run",
    target: "blog",
    detail: { program: "psql", arguments: 1 },
  });
});

test("the run socket carries stdin and output byte-exact and ends with the exit code", async () => {
  behave = async (oneOff) => {
    oneOff.onOutput(bytes("warn"), "stderr");
    await echo(oneOff);
    return 7;
  };
  const client = await withToken();
  client.say({ type: "start", command: ["cat"] });
  client.ws.send(new Uint8Array([0, 1, 2, 255]));
  client.ws.send(bytes("007"));
  client.say({ type: "stdin_end" });
  expect(await client.closed).toBe(1000);
  expect(Buffer.concat(client.output[1] ?? [])).toEqual(Buffer.from([0, 1, 2, 255, 48, 48, 55]));
  expect(client.text(2)).toBe("warn");
  expect(client.texts.at(-1)).toEqual({ type: "exit", exit_code: 7 });
  expect(client.texts.filter(({ type }) => type === "stdin_taken").at(-1)?.bytes).toBe(7);
});

test("the run socket works over control.sock too", async () => {
  behave = echo;
  const client = new Client(new WebSocket(`ws+unix://${box.socket}:/api/v1/apps/blog/run/socket`));
  await client.opened;
  client.say({ type: "start", command: ["cat"] });
  client.ws.send(bytes("over the socket"));
  client.say({ type: "stdin_end" });
  await client.closed;
  expect(client.text(1)).toBe("over the socket");
});

test("the run socket moves 16 MB of stdin when the client waits for stdin_taken", async () => {
  let sum = 0;
  behave = async ({ stdin }) => {
    for await (const piece of stdin as unknown as AsyncIterable<Uint8Array>) sum += piece.length;
    return 0;
  };
  const client = await withToken();
  client.say({ type: "start", command: ["wc"] });
  const taken = () => Number(client.texts.findLast(({ type }) => type === "stdin_taken")?.bytes ?? 0);
  for (let sent = 0; sent < 16 * 1024 * 1024; sent += 65_536) {
    while (sent - taken() > 1024 * 1024) await Bun.sleep(1);
    client.ws.send(new Uint8Array(65_536));
  }
  client.say({ type: "stdin_end" });
  await client.closed;
  expect(sum).toBe(16 * 1024 * 1024);
});

test("the run socket hangs up on a client that sends far more than the command takes", async () => {
  behave = untilAborted;
  const client = await withToken();
  client.say({ type: "start", command: ["sleep", "1000"] });
  for (let sent = 0; sent < 10; sent++) client.ws.send(new Uint8Array(1000 * 1000));
  await client.closed;
  expect(client.texts.find(({ type }) => type === "error")).toMatchObject({ code: "stdin_overrun" });
  expect(ended?.aborted).toBe(true);
});

test("the run socket ends the command when the client leaves", async () => {
  behave = untilAborted;
  const client = await withToken();
  client.say({ type: "start", command: ["sleep", "1000"] });
  while (ended === null) await Bun.sleep(1);
  client.ws.close();
  await new Promise((resolve) => (ended?.aborted ? resolve(0) : ended?.addEventListener("abort", resolve)));
});

test("the run socket tells an error of the engine with its code and hint", async () => {
  behave = async () => {
    throw new DiploError("never_deployed", "no release", {
      detail: "blog has no release yet",
      hint: "Deploy it first.",
    });
  };
  const client = await withToken();
  client.say({ type: "start", command: ["ls"] });
  expect(await client.closed).toBe(1000);
  expect(client.texts).toEqual([
    { type: "error", code: "never_deployed", detail: "blog has no release yet", hint: "Deploy it first." },
  ]);
});

test.each<[string, string | Uint8Array, string]>([
  ["no JSON", "hello", "bad_frame"],
  ["a JSON value that is no object", "[]", "bad_frame"],
  ["an unknown type", '{"type":"stop"}', "bad_frame"],
  ["stdin before start", new Uint8Array([1]), "bad_frame"],
  ["a start without a command", '{"type":"start"}', "invalid"],
])("the run socket refuses %s", async (_what, frame, code) => {
  behave = echo;
  const client = await withToken();
  client.ws.send(frame);
  await client.closed;
  expect(client.texts).toEqual([expect.objectContaining({ type: "error", code })]);
  expect(asked).toBeNull();
});

test("the run socket is refused before the upgrade: no sign-in, another origin, no permission, an unknown app", async () => {
  const cookie = box.cookie();
  const refused: Record<string, string>[] = [
    {},
    { cookie, origin: "http://127.0.0.1:3000" },
    { cookie },
    { authorization: `Bearer ${box.token(["apps:read"])}` },
  ];
  for (const headers of refused) await expect(Client.tcp(headers)).rejects.toThrow("refused");
  await expect(Client.tcp({ authorization: `Bearer ${box.token()}` }, "other")).rejects.toThrow("refused");
  (await Client.tcp({ cookie, origin: box.url })).ws.close();
  const plain = await fetch(`${box.url}/api/v1/apps/blog/run/socket`, {
    headers: { authorization: `Bearer ${box.token()}` },
  });
  expect([plain.status, (await plain.json()).code]).toEqual([426, "upgrade_required"]);
});

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/run-cli.ts";
import { readEvents, type ServerEvent } from "../../src/cli/sse.ts";
import { readConfig } from "../../src/config.ts";
import { FakeBox, problem } from "./fake-box.ts";
import { type FakeIo, fakeIo } from "./fake-io.ts";

async function events(chunks: string[]): Promise<ServerEvent[]> {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return Array.fromAsync(readEvents(body));
}

describe("readEvents", () => {
  test("joins data lines, keeps the last id, skips comments and unfinished events", async () => {
    const text =
      "retry: 1000\n\n: hello\nid: 4\nevent: task\ndata: a\ndata:\ndata: b\n\ndata: c\n\ndata: cut";
    expect(await events([text])).toEqual([
      { id: "4", type: "task", data: "a\n\nb" },
      { id: "4", type: "message", data: "c" },
    ]);
  });

  test("does not care where chunks are cut, inside a letter or a line break", async () => {
    const bytes = new TextEncoder().encode("data: é日\r\n\r\ndata: x\n\n");
    const body = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect((await Array.fromAsync(readEvents(body))).map(({ data }) => data)).toEqual(["é日", "x"]);
  });
});

describe("diplo logs", () => {
  test("prints the box's text as it is", async () => {
    using box = new FakeBox(() => new Response("2026-01-31T12:00:00Z web.1: hi\n"));
    const io = fakeIo();
    expect(await box.run(["logs", "blog", "-n", "5", "--process", "web"], io)).toBe(0);
    expect(box.asked[0]?.path).toBe("/apps/blog/logs?lines=5&process=web");
    expect(io.stdout()).toBe("2026-01-31T12:00:00Z web.1: hi\n");
  });

  test("keeps an app's colours on a terminal and nothing that moves it; a pipe gets every byte", async () => {
    const text = "t web.1: \x1b[1;31mred\x1b[0m\t\x1b]0;title\x07\x1b[2J\n";
    using box = new FakeBox(() => new Response(text));
    const terminal = fakeIo({ terminal: true });
    await box.run(["logs", "blog"], terminal);
    expect(terminal.stdout()).toBe("t web.1: \x1b[1;31mred\x1b[0m\t]0;title[2J\n");
    const pipe = fakeIo();
    await box.run(["logs", "blog"], pipe);
    expect(pipe.stdout()).toBe(text);
  });

  test("--tail goes on behind the last line after a break, until Ctrl-C", async () => {
    const line = (at: string, text: string) =>
      `id: ${at}\ndata: ${JSON.stringify({ at, instance: "web.1", process: "web", stream: "stdout", text })}\n\n`;
    const io = fakeIo();
    using box = new FakeBox(({ headers }) => {
      if (headers.get("last-event-id") === "t2") io.interrupt();
      return new Response(headers.has("last-event-id") ? line("t2", "two") : line("t1", "one"));
    });
    expect(await box.run(["logs", "-a", "blog", "--tail"], io)).toBe(130);
    expect(io.stdout()).toBe("t1 web.1: one\nt2 web.1: two\n");
  });

  test("--source router gives the access log's lines as they are, when it goes on too", async () => {
    const event = `id: t1\ndata: ${JSON.stringify({ at: "t1", instance: "router", text: '{"status":200}' })}\n\n`;
    const io = fakeIo();
    using box = new FakeBox(({ headers }) => {
      if (headers.has("last-event-id")) io.interrupt();
      return new Response(headers.has("last-event-id") ? "" : event);
    });
    await box.run(["logs", "-a", "blog", "--source", "router", "--tail"], io);
    expect(box.asked[0]?.path).toBe("/apps/blog/logs?source=router&follow=1");
    expect(io.stdout()).toBe('{"status":200}\n');
  });

  test("says what the box refuses", async () => {
    using box = new FakeBox(() => problem(404, "app_not_found", 'There is no app "blog".'));
    const io = fakeIo();
    expect(await box.run(["logs", "-a", "blog", "--tail"], io)).toBe(1);
    expect(io.stderr()).toContain('There is no app "blog".');
  });
});

describe("diplo run", () => {
  interface Told {
    type: string;
    [field: string]: unknown;
  }
  type Ws = Bun.ServerWebSocket<undefined>;

  /** A box that speaks the protocol of one-off commands over its socket. */
  async function running(
    argv: string[],
    io: FakeIo,
    reply: (ws: Ws, frame: Told | Uint8Array) => void,
    refuse?: Response,
  ): Promise<number> {
    const data = mkdtempSync(join(tmpdir(), "diplo-run-"));
    using _server = Bun.serve<undefined>({
      unix: join(data, "control.sock"),
      fetch: (request, server) => {
        if (refuse) return refuse.clone() as Response;
        return server.upgrade(request) ? undefined : problem(426, "upgrade_required", "WebSocket only");
      },
      websocket: {
        message: (ws, message) =>
          reply(ws, typeof message === "string" ? JSON.parse(message) : new Uint8Array(message)),
      },
    });
    try {
      return await runCli(argv, io, {
        config: (flags) => readConfig(flags, { DIPLO_DATA: data, HOME: data }),
      });
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  }

  const said = (stream: 1 | 2, text: string) => Buffer.concat([Uint8Array.of(stream), Buffer.from(text)]);

  test("sends stdin, splits stdout from stderr and exits with the command's code", async () => {
    const heard: Told[] = [];
    let bytes = 0;
    const io = fakeIo({ stdin: new Uint8Array(3_000_000).fill(120) });
    const code = await running(
      ["run", "-a", "blog", "-e", "A=b=c", "--", "cat", "--json", "-a"],
      io,
      (ws, frame) => {
        if (frame instanceof Uint8Array) {
          bytes += frame.length;
          ws.send(JSON.stringify({ type: "stdin_taken", bytes }));
          return;
        }
        heard.push(frame);
        if (frame.type !== "stdin_end") return;
        ws.send(said(1, `read ${bytes}\n`));
        ws.send(said(2, "warned\n"));
        ws.send(JSON.stringify({ type: "exit", exit_code: 7 }));
      },
    );
    expect(code).toBe(7);
    expect(heard[0]).toMatchObject({
      type: "start",
      command: ["cat", "--json", "-a"],
      env: { A: "b=c" },
      tty: false,
    });
    expect(io.stdout()).toBe("read 3000000\n");
    expect(io.stderr()).toBe("warned\n");
  });

  test("keeps no more than 1 MiB of stdin ahead of the command", async () => {
    let bytes = 0;
    const io = fakeIo({ stdin: new Uint8Array(5_000_000) });
    const code = await running(["run", "-a", "blog", "sleep"], io, (ws, frame) => {
      if (!(frame instanceof Uint8Array)) return;
      bytes += frame.length;
      if (bytes >= 1024 * 1024) setTimeout(() => ws.send(JSON.stringify({ type: "exit", exit_code: 0 })), 50);
    });
    expect(code).toBe(0);
    expect(bytes).toBe(1024 * 1024);
  });

  test("says why a command did not run, and when the connection was lost", async () => {
    const io = fakeIo();
    const code = await running(["run", "-a", "blog", "x"], io, (ws) =>
      ws.send(
        JSON.stringify({
          type: "error",
          code: "no_release",
          detail: "There is no release yet.",
          hint: "Deploy first.",
        }),
      ),
    );
    expect([code, io.stderr()]).toEqual([1, "diplo: There is no release yet.\nDeploy first.\n"]);
    const lost = fakeIo();
    expect(await running(["run", "-a", "blog", "x"], lost, (ws) => ws.terminate())).toBe(1);
    expect(lost.stderr()).toContain("the connection ended before the command did");
  });

  test("says what the box refuses before the command starts", async () => {
    const io = fakeIo();
    const refuse = problem(403, "forbidden", 'This needs the permission "run".');
    expect(await running(["run", "-a", "blog", "x"], io, () => {}, refuse)).toBe(4);
    expect(io.stderr()).toContain('This needs the permission "run".');
  });
});

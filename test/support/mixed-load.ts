import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";

export interface LoadCounts {
  get: number;
  keepAlive: number;
  post: number;
  download: number;
  socket: number;
}

const MESSAGES = 20;
const MESSAGE_GAP_MS = 100;

/** Many kinds of clients at once, without pause; every answer is compared with what it must be. */
export class MixedLoad {
  readonly failures: string[] = [];
  readonly counts: LoadCounts = { get: 0, keepAlive: 0, post: 0, download: 0, socket: 0 };
  private running = true;
  private readonly done: Promise<unknown>;

  constructor(private readonly port: number) {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    this.done = Promise.all([
      this.repeat("get", () => this.get(new Agent({ keepAlive: false }))),
      this.repeat("keepAlive", () => this.get(agent)),
      this.repeat("post", () => this.post(agent)),
      this.repeat("download", () => this.download()),
      this.repeat("download", () => this.download()),
      this.repeat("socket", () => this.socket()),
      this.repeat("socket", () => this.socket()),
    ]).finally(() => agent.destroy());
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async repeat(kind: keyof LoadCounts, once: () => Promise<void>): Promise<void> {
    while (this.running) {
      try {
        await once();
        this.counts[kind]++;
      } catch (error) {
        this.failures.push(`${kind}: ${error}`);
      }
      await Bun.sleep(kind === "download" || kind === "socket" ? 0 : 5);
    }
  }

  private async get(agent: Agent): Promise<void> {
    const { status, body } = await this.ask("GET", "/", agent);
    if (status !== 200 || !/^release v\d+\n$/.test(body.toString())) throw new Error(`${status} ${body}`);
  }

  private async post(agent: Agent): Promise<void> {
    const sent = randomBytes(64 * 1024);
    const { status, body } = await this.ask("POST", "/echo", agent, sent);
    if (status !== 200 || !body.equals(sent))
      throw new Error(`${status}, ${body.length} bytes of ${sent.length}`);
  }

  private async download(): Promise<void> {
    const { status, body } = await this.ask("GET", "/slow", new Agent({ keepAlive: false }));
    if (status !== 200 || sha(body) !== SLOW) throw new Error(`${status}, ${body.length} bytes`);
  }

  private ask(
    method: string,
    path: string,
    agent: Agent,
    sent?: Buffer,
  ): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const headers = sent ? { "content-length": sent.length } : {};
      const outgoing = request(
        { host: "127.0.0.1", port: this.port, method, path, agent, headers, timeout: 30_000 },
        (answer) => {
          const pieces: Buffer[] = [];
          answer.on("data", (piece) => pieces.push(piece));
          answer.on("end", () =>
            answer.complete
              ? resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces) })
              : reject(new Error("cut")),
          );
          answer.on("error", reject);
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer for 30 s")));
      outgoing.on("error", reject);
      outgoing.end(sent);
    });
  }

  private async socket(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/`);
    const closed = Promise.withResolvers<CloseEvent>();
    socket.onclose = closed.resolve;
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error("the socket did not open"));
    });
    for (let i = 0; i < MESSAGES; i++) {
      const answer = Promise.withResolvers<string>();
      socket.onmessage = (event) => answer.resolve(String(event.data));
      socket.send(`message ${i}`);
      const got = await Promise.race([answer.promise, closed.promise.then(() => "closed early")]);
      if (got !== `message ${i}`) throw new Error(got);
      await Bun.sleep(MESSAGE_GAP_MS);
    }
    socket.close(1000);
    const { code } = await closed.promise;
    if (code !== 1000) throw new Error(`closed with ${code}`);
  }
}

const sha = (body: Buffer) => createHash("sha256").update(body).digest("hex");
const SLOW = sha(
  Buffer.concat(Array.from({ length: 30 }, (_, i) => Buffer.alloc(16 * 1024, String((30 - i) % 10)))),
);

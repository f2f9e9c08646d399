import { spawn } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type AuthContext, type Connection, Server, type ServerChannel } from "ssh2";
import { makeDeployKey } from "../../src/engine/source/deploy-key.ts";

export interface SshGitServer {
  /** Address of a bare repository on disk. */
  url(path: string): string;
  /** Lets this key in, and no other any more. */
  allow(public_key: string): void;
  /** Starts again on the same port with another host key. */
  changeHostKey(): Promise<void>;
  stop(): Promise<void>;
}

/** A loopback ssh server that lets one public key run git-upload-pack. */
export async function serveOverSsh(public_key: string): Promise<SshGitServer> {
  let allowed = keyIn(public_key);
  let server = await listen(() => allowed, 0);
  const { port } = server.address() as AddressInfo;
  const stop = () => new Promise<void>((done) => void server.close(() => done()));
  return {
    url: (path) => `ssh://git@127.0.0.1:${port}${path}`,
    allow(other) {
      allowed = keyIn(other);
    },
    async changeHostKey() {
      await stop();
      server = await listen(() => allowed, port);
    },
    stop,
  };
}

const keyIn = (public_key: string): Buffer => Buffer.from(public_key.split(" ")[1]!, "base64");

async function listen(allowed: () => Buffer, port: number): Promise<Server> {
  const server = new Server({ hostKeys: [makeDeployKey("host").private_key] }, (client: Connection) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => authenticate(context, allowed()));
    client.on("session", (accept) => {
      accept().on("exec", (ok, _, { command }) => uploadPack(ok(), command));
    });
  });
  await new Promise<void>((done) => void server.listen(port, "127.0.0.1", done));
  return server;
}

function authenticate(context: AuthContext, allowed: Buffer): void {
  const data = context.method === "publickey" ? context.key.data : Buffer.alloc(0);
  if (data.length === allowed.length && timingSafeEqual(data, allowed)) context.accept();
  else context.reject(["publickey"]);
}

function uploadPack(channel: ServerChannel, command: string): void {
  const path = /^git-upload-pack '([^']+)'$/.exec(command)?.[1];
  if (path === undefined) return void channel.exit(1);
  const child = spawn("git-upload-pack", [path], { stdio: ["pipe", "pipe", "pipe"] });
  channel.pipe(child.stdin);
  child.stdout.on("data", (chunk) => channel.write(chunk));
  child.stderr.on("data", (chunk) => channel.stderr.write(chunk));
  child.on("close", (code) => {
    channel.exit(code ?? 1);
    channel.end();
  });
}

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An engine that misbehaves on purpose, on a unix socket of its own. `answers` by path without version and query. */
export async function fakeEngine(answers: Record<string, Answer>) {
  const directory = mkdtempSync(join(tmpdir(), "engine-"));
  const path = join(directory, "docker.sock");
  const seen: string[] = [];
  const all: Record<string, Answer> = {
    "/version": (_request, response) =>
      json(response, { Version: "99", ApiVersion: "1.99", MinAPIVersion: "1.24" }),
    "/info": (_request, response) => json(response, { OSType: "linux", NCPU: 4, MemoryLimit: true }),
    ...answers,
  };
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    seen.push(url);
    const answer = all[url.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "")];
    if (answer) answer(request, response);
    else json(response, { message: "page not found" }, 404);
  });
  // The back channel of builds: turned round, then silent.
  server.on("upgrade", (_request, socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    address: `unix://${path}`,
    path,
    seen,
    stop: () => {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

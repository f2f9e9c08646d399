import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-ports.ts";
import { eventually, RawClient } from "./harness.ts";

/** Another proxy in front of the same kind of backends: one port for each backend port. */
export interface ReferenceProxy {
  name: string;
  ports: number[];
  stop(): Promise<void>;
}

async function start(
  name: string,
  ports: number[],
  directory: string,
  argv: string[],
): Promise<ReferenceProxy> {
  const child = Bun.spawn(argv, { stdout: "ignore", stderr: "ignore" });
  await eventually(async () =>
    RawClient.connect(ports.at(-1)!).then(
      (client) => {
        client.close();
        return true;
      },
      () => false,
    ),
  );
  const stop = async () => {
    child.kill("SIGTERM");
    await child.exited;
    await rm(directory, { recursive: true, force: true });
  };
  return { name, ports, stop };
}

/** nginx as most people run it; undefined when it is not installed. */
export async function startNginx(backends: number[]): Promise<ReferenceProxy | undefined> {
  if (Bun.which("nginx") === null) return undefined;
  const directory = await mkdtemp(join(tmpdir(), "fuzz-nginx-"));
  const ports = backends.map(() => freePort());
  const servers = backends.map(
    (backend, i) =>
      `server { listen 127.0.0.1:${ports[i]}; location / { proxy_pass http://127.0.0.1:${backend}; proxy_http_version 1.1;
         proxy_set_header Connection ""; proxy_set_header Host $host; } }`,
  );
  const file = join(directory, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  await writeFile(
    file,
    `daemon off; user root; worker_processes 1; pid ${directory}/pid; error_log /dev/null; events {}
     http { access_log off; ${temporary.join(" ")} ${servers.join("\n")} }`,
  );
  return start("nginx", ports, directory, ["nginx", "-e", "/dev/null", "-c", file]);
}

/** HAProxy with its defaults; undefined when it is not installed. */
export async function startHaproxy(backends: number[]): Promise<ReferenceProxy | undefined> {
  if (Bun.which("haproxy") === null) return undefined;
  const directory = await mkdtemp(join(tmpdir(), "fuzz-haproxy-"));
  const ports = backends.map(() => freePort());
  const listens = backends.map(
    (backend, i) => `listen l${i}\n  bind 127.0.0.1:${ports[i]}\n  server s 127.0.0.1:${backend}`,
  );
  const file = join(directory, "haproxy.cfg");
  const timeouts = ["client", "server", "connect"].map((kind) => `  timeout ${kind} 5s`).join("\n");
  await writeFile(file, `global\n  nbthread 1\ndefaults\n  mode http\n${timeouts}\n${listens.join("\n")}\n`);
  return start("haproxy", ports, directory, ["haproxy", "-q", "-f", file]);
}

/**
 * CPU-seconds per 100,000 requests of the data plane beside nginx and HAProxy, on loopback. The proxy under test has core
 * 0 to itself, backend and generator share core 1; rounds alternate; medians are printed, and ratios against nginx.
 *
 *   bun test/bench/proxy.ts [seconds per round = 4] [rounds = 3] [scenario …]
 *
 * Needs nginx and wrk; HAProxy joins when it is there. Judge by CPU per request: requests per second saturate at the load side.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { paths } from "../../src/config.ts";
import { freePort, routeTo } from "../proxy/harness.ts";

const SECONDS = Number(process.argv[2] ?? 4);
const ROUNDS = Number(process.argv[3] ?? 3);
const ONLY = process.argv.slice(4);

interface Contestant {
  name: string;
  pids: number[];
  http: number;
  https: number;
  stop(): Promise<void>;
}

interface Scenario {
  name: string;
  url(contestant: Contestant): string;
  connections: number;
  headers?: string[];
}

interface Round {
  cpuPer100k: number;
  requestsPerSecond: number;
  p50: string;
  p99: string;
  pssMb: number;
}

const SCENARIOS: Scenario[] = [
  { name: "h1 keep-alive, 100 B", url: ({ http }) => `http://127.0.0.1:${http}/small`, connections: 64 },
  { name: "h1 keep-alive, 1 KB", url: ({ http }) => `http://127.0.0.1:${http}/1k`, connections: 64 },
  { name: "h1 keep-alive, 100 KB", url: ({ http }) => `http://127.0.0.1:${http}/100k`, connections: 64 },
  {
    name: "h1 without keep-alive",
    url: ({ http }) => `http://127.0.0.1:${http}/small`,
    connections: 64,
    headers: ["Connection: close"],
  },
  { name: "TLS keep-alive, 100 B", url: ({ https }) => `https://127.0.0.1:${https}/small`, connections: 64 },
  {
    name: "1,000 hosts",
    url: ({ http }) => `http://127.0.0.1:${http}/small`,
    connections: 64,
    headers: ["Host: app500.test"],
  },
];

const directory = await mkdtemp(join(tmpdir(), "proxy-bench-"));
const pinned = (core: number, argv: string[]) => ["taskset", "-c", String(core), ...argv];

function start(core: number, argv: string[], env: Record<string, string> = {}) {
  return Bun.spawn(pinned(core, argv), {
    stdout: "ignore",
    stderr: "inherit",
    env: { ...process.env, ...env },
  });
}

async function up(port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
      return;
    } catch {
      await Bun.sleep(25);
    }
  }
  throw new Error(`nothing listens on ${port}`);
}

async function children(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const direct = text.trim().split(" ").filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(direct.map(children))).flat()];
}

/** User and system time of these processes so far, in seconds. */
async function cpuSeconds(pids: number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

async function pssMb(pids: number[]): Promise<number> {
  let kb = 0;
  for (const pid of pids) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    kb += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kb / 1024;
}

async function certificate(): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  await $`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${key} -out ${cert}`.quiet();
  return { key, cert };
}

async function backend(): Promise<{ port: number; stop(): Promise<void> }> {
  const port = freePort();
  const file = join(directory, "backend.conf");
  await writeFile(join(directory, "100k"), Buffer.alloc(100_000, "x"));
  await writeFile(
    file,
    `daemon off; user root; worker_processes 1; pid ${directory}/backend.pid; error_log /dev/null; events { worker_connections 4096; }
     http { access_log off; keepalive_requests 100000000; default_type text/plain;
       server { listen 127.0.0.1:${port} backlog=4096;
         location /small { return 200 "${"x".repeat(100)}"; }
         location /1k { return 200 "${"x".repeat(1000)}"; }
         location /100k { root ${directory}; } } }`,
  );
  const process = start(1, ["nginx", "-c", file]);
  await up(port);
  return { port, stop: () => end(process) };
}

async function end(process: Bun.Subprocess): Promise<void> {
  process.kill("SIGTERM");
  await process.exited;
}

async function nginx(backendPort: number, tls: { key: string; cert: string }): Promise<Contestant> {
  const [http, https] = [freePort(), freePort()];
  const file = join(directory, "nginx.conf");
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log /dev/null; events { worker_connections 8192; }
     http { access_log off; keepalive_requests 100000000; ssl_session_tickets off; server_names_hash_max_size 8192;
       server_names_hash_bucket_size 128;
       upstream app { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 100000000; }
       server { listen 127.0.0.1:${http} backlog=4096; listen 127.0.0.1:${https} ssl backlog=4096;
         server_name _ ${Array.from({ length: 1000 }, (_, i) => `app${i}.test`).join(" ")};
         ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};
         location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
           proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
           proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
           proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Request-ID $request_id; } } }`,
  );
  const process = start(0, ["nginx", "-c", file]);
  await up(http);
  return { name: "nginx", pids: await children(process.pid), http, https, stop: () => end(process) };
}

async function haproxy(backendPort: number, tls: { key: string; cert: string }): Promise<Contestant> {
  const [http, https] = [freePort(), freePort()];
  const file = join(directory, "haproxy.cfg");
  const pem = join(directory, "both.pem");
  await writeFile(pem, (await readFile(tls.cert, "utf8")) + (await readFile(tls.key, "utf8")));
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend f
  bind 127.0.0.1:${http}
  bind 127.0.0.1:${https} ssl crt ${pem}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend b
backend b
  server s 127.0.0.1:${backendPort}
`,
  );
  const process = start(0, ["haproxy", "-q", "-f", file]);
  await up(http);
  return { name: "haproxy", pids: await children(process.pid), http, https, stop: () => end(process) };
}

async function diplo(backendPort: number, tls: { key: string; cert: string }): Promise<Contestant> {
  const [http, https] = [freePort(), freePort()];
  const data = join(directory, "data");
  const process = start(0, [globalThis.process.execPath, join(import.meta.dir, "proxy-process.ts")], {
    DIPLO_DATA: data,
  });
  const put = async (path: string, body: unknown) => {
    const unix = paths.proxySocket(data);
    for (let i = 0; ; i++) {
      try {
        const response = await fetch(`http://proxy${path}`, {
          unix,
          method: "PUT",
          body: JSON.stringify(body),
        });
        if (!response.ok) throw new Error(await response.text());
        return;
      } catch (error) {
        if (i > 100) throw error;
        await Bun.sleep(50);
      }
    }
  };
  const names = ["127.0.0.1", "localhost"];
  const routes = [
    routeTo(backendPort, { hosts: names }),
    ...Array.from({ length: 1000 }, (_, i) => routeTo(backendPort, { id: `r${i}`, hosts: [`app${i}.test`] })),
  ];
  await put("/routes", {
    version: 1,
    generation: 1,
    listeners: [
      { host: "127.0.0.1", port: http, protocol: "http" },
      { host: "127.0.0.1", port: https, protocol: "https" },
    ],
    routes,
    settings: { own_cookies: ["diplo_session"], probe_token: "x".repeat(32), trusted_proxies: [] },
  });
  const [certificate_pem, private_key_pem] = [
    await readFile(tls.cert, "utf8"),
    await readFile(tls.key, "utf8"),
  ];
  await put("/certificates", {
    version: 1,
    generation: 1,
    certificates: [{ names, certificate_pem, private_key_pem }],
  });
  await up(http);
  return { name: "diplo", pids: await children(process.pid), http, https, stop: () => end(process) };
}

async function round(contestant: Contestant, scenario: Scenario): Promise<Round> {
  const headers = [
    ...(scenario.headers ?? []),
    ...(scenario.url(contestant).startsWith("https") ? ["Host: localhost"] : []),
  ];
  const argv = ["wrk", "-t1", `-c${scenario.connections}`, `-d${SECONDS}s`, "--latency"];
  for (const header of headers) argv.push("-H", header);
  const url = scenario.url(contestant).replace("https://127.0.0.1", "https://localhost");
  const before = await cpuSeconds(contestant.pids);
  const wrk = Bun.spawn(pinned(1, [...argv, url]), { stdout: "pipe" });
  const output = await new Response(wrk.stdout).text();
  const cpu = (await cpuSeconds(contestant.pids)) - before;
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
  if (/Non-2xx|Socket errors/.test(output))
    console.warn(contestant.name, scenario.name, /(Non-2xx|Socket errors).*/.exec(output)?.[0]);
  return {
    cpuPer100k: (cpu / requests) * 100_000,
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1] ?? 0),
    p50: /50%\s+(\S+)/.exec(output)?.[1] ?? "",
    p99: /99%\s+(\S+)/.exec(output)?.[1] ?? "",
    pssMb: await pssMb(contestant.pids),
  };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const tls = await certificate();
const app = await backend();
const contestants = [await nginx(app.port, tls), await diplo(app.port, tls)];
if (Bun.which("haproxy") !== null) contestants.push(await haproxy(app.port, tls));
try {
  console.log(
    "| scenario | proxy | CPU-s / 100k | against nginx | requests/s | p50 | p99 | PSS MB |\n|---|---|---|---|---|---|---|---|",
  );
  for (const scenario of SCENARIOS.filter(
    ({ name }) => ONLY.length === 0 || ONLY.some((only) => name.includes(only)),
  )) {
    const rounds = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]));
    for (let i = 0; i < ROUNDS; i++)
      for (const contestant of contestants)
        rounds.get(contestant.name)!.push(await round(contestant, scenario));
    const base = median(rounds.get("nginx")!.map(({ cpuPer100k }) => cpuPer100k));
    for (const [name, list] of rounds) {
      const cpu = median(list.map(({ cpuPer100k }) => cpuPer100k));
      const last = list.at(-1)!;
      const rps = Math.round(median(list.map(({ requestsPerSecond }) => requestsPerSecond)));
      const cells = [
        scenario.name,
        name,
        cpu.toFixed(2),
        (cpu / base).toFixed(2),
        rps,
        last.p50,
        last.p99,
        last.pssMb.toFixed(0),
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
} finally {
  for (const contestant of contestants) await contestant.stop();
  await app.stop();
  await rm(directory, { recursive: true, force: true });
}

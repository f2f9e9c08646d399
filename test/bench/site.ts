/**
 * CPU-seconds per 100,000 requests of a static release in the data plane beside nginx with the same files, on loopback,
 * and the memory of further sites. The server under test has core 0 to itself, the generator core 1; rounds alternate;
 * medians are printed, and ratios against nginx.
 *
 *   npm run bench -- site [--seconds 2] [--rounds 3] [scenario …]
 *
 * Needs nginx and wrk.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { paths } from "../../src/config.ts";
import type { Route } from "../../src/proxy/protocol.ts";
import { routeTo } from "../proxy/harness.ts";
import { type Content, LAST_MODIFIED, writeSite } from "../proxy/site-fixture.ts";
import { freePort } from "../support/free-ports.ts";
import { median } from "./figures.ts";
import { put } from "./proxy/contestants.ts";
import { cpuSeconds, family, listening, PROXY_CORE, pssMb, startPinned } from "./proxy/pinned.ts";
import { wrk } from "./proxy/scenarios.ts";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
/** What comes first is not measured: it compiles hot code and fills caches. */
const WARM_UP_S = 1;
/** Asked for first, so that the heap has its size. */
const FIRST_SITES = 100;
const FURTHER_SITES = 400;
const SITES = FIRST_SITES + FURTHER_SITES;
const PAGES = 60;

/** Words, so that it shrinks as pages do. */
function text(bytes: number): Buffer {
  let seed = 7;
  const words = ["<p>", "the ", "route ", "of ", "a ", "release ", "</p>\n", "serves ", "files "];
  let all = "";
  while (all.length < bytes) {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    all += words[seed % words.length] + (seed % 11 === 0 ? seed.toString(36) : "");
  }
  return Buffer.from(all.slice(0, bytes));
}

const FILES: Record<string, Content> = {
  "/1k.txt": { content: text(1_000) },
  "/10k.html": { content: text(10_000), variants: ["br", "gzip"] },
  "/100k.bin": { content: text(100_000) },
  "/10m.bin": { content: Buffer.alloc(10_000_000, "x") },
};

interface Server {
  name: string;
  pids: number[];
  http: number;
  stop(): Promise<void>;
}

const SCENARIOS: [name: string, path: string, ...wrkArguments: string[]][] = [
  ["1 KB", "/1k.txt"],
  ["1 KB, access log as JSON", "/1k.txt", "-H", "Host: logged.test"],
  ["1 KB, not modified", "/1k.txt", "-H", `If-Modified-Since: ${LAST_MODIFIED}`],
  ["10 KB page, compressed before", "/10k.html", "-H", "Accept-Encoding: gzip"],
  ["10 KB page, plain", "/10k.html"],
  ["100 KB", "/100k.bin"],
  ["10 MB", "/10m.bin", "-c8"],
];

const directory = await mkdtemp(join(tmpdir(), "site-bench-"));

/** As a person would set it up: sendfile, open files cached, compressed twins. */
async function nginx(): Promise<Server> {
  const http = freePort();
  const root = join(directory, "html");
  await mkdir(root);
  for (const [path, { content, variants }] of Object.entries(FILES)) {
    await writeFile(join(root, path), content);
    if (variants !== undefined) await writeFile(join(root, `${path}.gz`), gzipSync(content));
  }
  const file = join(directory, "nginx.conf");
  const server = (name: string, log: string) => `server { listen 127.0.0.1:${http}; server_name ${name};
    root ${root}; index index.html; access_log ${log}; add_header X-Content-Type-Options nosniff;
    add_header Cache-Control no-cache; location / { try_files $uri $uri/ $uri.html =404; } }`;
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log /dev/null; user root; events { worker_connections 8192; }
     http { include /etc/nginx/mime.types; keepalive_requests 100000000; sendfile on; tcp_nopush on; gzip_static on; gzip_vary on;
       open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
       log_format json escape=json '{"time":"$time_iso8601","request_id":"$request_id","remote_address":"$remote_addr","method":"$request_method","host":"$host","path":"$request_uri","status":$status,"bytes_in":$request_length,"bytes_out":$body_bytes_sent,"duration":$request_time,"user_agent":"$http_user_agent","referer":"$http_referer"}';
       ${server("_", "off")} ${server("logged.test", `${directory}/nginx-access.log json buffer=128k flush=1s`)} }`,
  );
  const { pid, stop } = startPinned(PROXY_CORE, ["nginx", "-e", "/dev/null", "-c", file]);
  await listening(http);
  return { name: "nginx", pids: await family(pid), http, stop };
}

function route(name: string, hosts: string[], more: Partial<Route> = {}): Route {
  const target = { instance: name, release: 1, weight: 1, site: name };
  return { ...routeTo([]), id: name, app: name, hosts, targets: [target], ...more };
}

async function diplo(): Promise<Server> {
  const data = join(directory, "data");
  const proxyDirectory = paths.proxyDirectory(data);
  await writeSite(proxyDirectory, "bench", FILES, { cache_control: "no-cache" });
  const pages = Array.from({ length: PAGES }, (_, i) => [`/articles/some-page-${i}/index.html`, text(3_000)]);
  for (let i = 0; i < SITES; i++)
    await writeSite(proxyDirectory, `blog-${i}`, {
      "/index.html": `<h1>Blog ${i}</h1>`,
      ...Object.fromEntries(pages.map(([path, content]) => [path, `${content}${i}`])),
    });
  const http = freePort();
  const argv = [process.execPath, join(import.meta.dir, "proxy", "diplo-process.ts")];
  const { pid, stop } = startPinned(PROXY_CORE, argv, { DIPLO_DATA: data, DIPLO_PROXY_WORKERS: "1" });
  await put(data, "/routes", {
    version: 1,
    generation: 1,
    listeners: [{ host: "127.0.0.1", port: http, protocol: "http" }],
    routes: [
      route("bench", ["127.0.0.1"]),
      route("bench", ["logged.test"], { id: "logged", app: "logged", access_log: "json" }),
      ...Array.from({ length: SITES }, (_, i) => route(`blog-${i}`, [`blog-${i}.test`])),
    ],
    settings: { own_cookies: ["diplo_session"], probe_token: "x".repeat(32), trusted_proxies: [] },
  });
  await listening(http);
  return { name: "diplo", pids: await family(pid), http, stop };
}

/** What one further site costs that is in use: its manifest in memory, and one page of it. */
async function furtherSites({ http, pids }: Server): Promise<void> {
  const get = async (i: number) => {
    const init = { headers: { Host: `blog-${i}.test` } };
    const answer = await fetch(`http://127.0.0.1:${http}/`, init);
    if ((await answer.text()) !== `<h1>Blog ${i}</h1>`) throw new Error(`blog ${i} did not answer`);
  };
  const settled = async () => {
    let last = await pssMb(pids);
    for (let i = 0; i < 20; i++) {
      await Bun.sleep(1_000);
      const now = await pssMb(pids);
      if (Math.abs(now - last) < 0.05) return now;
      last = now;
    }
    return last;
  };
  for (let i = 0; i < FIRST_SITES; i++) await get(i);
  const before = await settled();
  for (let i = FIRST_SITES; i < SITES; i++) await get(i);
  const after = await settled();
  const each = ((after - before) * 1024) / FURTHER_SITES;
  console.log(
    `\n${FURTHER_SITES} further sites of ${PAGES} pages, each asked for once: ${each.toFixed(0)} KB each (PSS)`,
  );
}

interface Figures {
  cpu: number[];
  rate: number[];
  p99: number[];
}

async function measure(
  server: Server,
  run: ReturnType<typeof wrk>,
  seconds: number,
  figures?: Figures,
): Promise<void> {
  const before = await cpuSeconds(server.pids);
  const load = await run({ ...server, https: 0 }, seconds, () => {});
  if (load.problem !== undefined) console.error(`${server.name}: ${load.problem}`);
  figures?.cpu.push((((await cpuSeconds(server.pids)) - before) / load.count) * 100_000);
  figures?.rate.push(load.count / seconds);
  figures?.p99.push(load.p99 ?? Number.NaN);
}

const servers = [await nginx(), await diplo()];
try {
  await furtherSites(servers[1]!);
  console.log(
    "\n| | CPU against nginx | CPU-s / 100k, nginx | diplo | requests/s, nginx | diplo | p99 ms, nginx | diplo |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const [name, path, ...more] of SCENARIOS) {
    if (positionals.length > 0 && !positionals.some((each) => name.includes(each))) continue;
    const run = wrk({ path, arguments: more });
    const all: Figures[] = servers.map(() => ({ cpu: [], rate: [], p99: [] }));
    for (const server of servers) await measure(server, run, WARM_UP_S);
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, server] of servers.entries()) await measure(server, run, SECONDS, all[i]);
    const of = (kind: keyof Figures, digits: number) => all.map((each) => median(each[kind]).toFixed(digits));
    const ratio = (median(all[1]!.cpu) / median(all[0]!.cpu)).toFixed(2);
    console.log(`| ${[name, ratio, ...of("cpu", 2), ...of("rate", 0), ...of("p99", 1)].join(" | ")} |`);
  }
} finally {
  for (const server of servers) await server.stop();
  await rm(directory, { recursive: true, force: true });
}

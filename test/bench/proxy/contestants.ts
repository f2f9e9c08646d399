import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "bun";
import { paths } from "../../../src/config.ts";
import { routeTo } from "../../proxy/harness.ts";
import { freePort } from "../../support/free-ports.ts";
import { family, LOAD_CORE, listening, PROXY_CORE, type Started, startPinned } from "./pinned.ts";

/** A proxy under test: the same routes, forwarded fields and certificate as the others, one worker on one core. */
export interface Contestant {
  name: string;
  pids: number[];
  http: number;
  https: number;
  stop(): Promise<void>;
}

/** What all of them stand before. `app` is nginx with files and fixed answers, `live` is backend.ts under `/live/`. */
export interface Bench {
  directory: string;
  app: number;
  live: number;
  key: string;
  cert: string;
}

export const HOSTS = Array.from({ length: 1000 }, (_, i) => `app${i}.test`);
const MB100 = 100 * (1 << 20);

/** Files, certificate and backends. `stop` ends the backends. */
export async function prepare(directory: string): Promise<Bench & { stop(): Promise<void> }> {
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  await $`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${key} -out ${cert}`.quiet();
  await writeFile(join(directory, "100k"), Buffer.alloc(100_000, "x"));
  await writeFile(join(directory, "100m"), Buffer.alloc(MB100, "x"));
  const [app, live] = [freePort(), freePort()];
  const file = join(directory, "backend.conf");
  await writeFile(
    file,
    `daemon off; user root; worker_processes 1; pid ${directory}/backend.pid; error_log /dev/null; events { worker_connections 8192; }
     http { access_log off; keepalive_requests 100000000; default_type text/plain;
       server { listen 127.0.0.1:${app} backlog=4096;
         location /small { return 200 "${"x".repeat(100)}"; }
         location /1k { return 200 "${"x".repeat(1000)}"; }
         location / { root ${directory}; } } }`,
  );
  const started = [
    startPinned(LOAD_CORE, ["nginx", "-e", "/dev/null", "-c", file]),
    startPinned(LOAD_CORE, [process.execPath, join(import.meta.dir, "backend.ts"), String(live)]),
  ];
  await Promise.all([listening(app), listening(live)]);
  const stop = async () => void (await Promise.all(started.map((each) => each.stop())));
  return { directory, app, live, key, cert, stop };
}

/** Starts one; undefined when it is not installed. `logging`: with an access log. */
export type Start = (bench: Bench, logging: boolean) => Promise<Contestant | undefined>;

async function contestant(name: string, http: number, https: number, started: Started): Promise<Contestant> {
  try {
    await Promise.all([listening(http), listening(https)]);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { name, pids: await family(started.pid), http, https, stop: () => started.stop() };
}

/** The same facts as in Diplo's JSON, as far as nginx knows them. */
const LOG_FORMAT = `{"time":"$time_iso8601","request_id":"$request_id","remote_address":"$remote_addr","method":"$request_method","host":"$http_host","path":"$request_uri","status":$status,"bytes_in":"$content_length","bytes_out":$body_bytes_sent,"duration_ms":$request_time,"first_byte_ms":"$upstream_header_time","instance":"$upstream_addr","user_agent":"$http_user_agent","referer":"$http_referer","tls":"$ssl_protocol"}`;

const nginx: Start = async ({ directory, app, live, key, cert }, logging) => {
  if (Bun.which("nginx") === null) return undefined;
  const [http, https] = [freePort(), freePort()];
  const name = logging ? "nginx-log" : "nginx";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    join(directory, `${name}.conf`),
    `daemon off; user root; worker_processes 1; pid ${directory}/${name}.pid; error_log /dev/null; events { worker_connections 8192; }
     http { ${logging ? `log_format facts escape=json '${LOG_FORMAT}'; access_log ${directory}/${name}.log facts;` : "access_log off;"}
       ${temporary.map((kind) => `${kind}_temp_path ${directory}/${name}-${kind};`).join(" ")}
       keepalive_requests 100000000; ssl_session_tickets off; client_max_body_size 0;
       server_names_hash_max_size 8192; server_names_hash_bucket_size 128;
       map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
       upstream app { server 127.0.0.1:${app}; keepalive 64; keepalive_requests 100000000; }
       upstream live { server 127.0.0.1:${live}; keepalive 64; }
       proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
       proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
       proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
       proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Request-ID $request_id;
       server { listen 127.0.0.1:${http} backlog=4096; listen 127.0.0.1:${https} ssl backlog=4096;
         server_name _ ${HOSTS.join(" ")};
         ssl_certificate ${cert}; ssl_certificate_key ${key};
         location / { proxy_pass http://app; }
         location /live/ { proxy_pass http://live; proxy_buffering off; proxy_request_buffering off; } } }`,
  );
  const argv = ["nginx", "-e", "/dev/null", "-c", join(directory, `${name}.conf`)];
  return contestant("nginx", http, https, startPinned(PROXY_CORE, argv));
};

const diplo: Start = async ({ directory, app, live, key, cert }, logging) => {
  const [http, https] = [freePort(), freePort()];
  const data = join(directory, logging ? "diplo-log" : "diplo");
  await mkdir(data, { recursive: true });
  const argv = [process.execPath, join(import.meta.dir, "diplo-process.ts")];
  const started = startPinned(PROXY_CORE, argv, { DIPLO_DATA: data, DIPLO_PROXY_WORKERS: "1" });
  const names = ["127.0.0.1", "localhost"];
  const log = logging ? { access_log: "json" as const } : {};
  const hold = { max_requests: 0, max_wait_ms: 0 };
  await put(data, "/routes", {
    version: 1,
    generation: 1,
    listeners: [
      { host: "127.0.0.1", port: http, protocol: "http" },
      { host: "127.0.0.1", port: https, protocol: "https" },
    ],
    routes: [
      routeTo(app, { hosts: names, hold, ...log }),
      routeTo(live, { id: "live/web", hosts: names, path: "/live", hold, ...log }),
      ...HOSTS.map((host, i) => routeTo(app, { id: `${i}/web`, hosts: [host], hold, ...log })),
    ],
    settings: { own_cookies: ["diplo_session"], probe_token: "x".repeat(32), trusted_proxies: [] },
  });
  await put(data, "/certificates", {
    version: 1,
    generation: 1,
    certificates: [
      {
        names,
        certificate_pem: await readFile(cert, "utf8"),
        private_key_pem: await readFile(key, "utf8"),
      },
    ],
  });
  return contestant("diplo", http, https, started);
};

/** Tells a data plane that is just starting. */
export async function put(data: string, path: string, body: unknown): Promise<void> {
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
}

const haproxy: Start = async ({ directory, app, live, key, cert }, logging) => {
  if (Bun.which("haproxy") === null) return undefined;
  const [http, https] = [freePort(), freePort()];
  const [file, pem, hosts] = [`haproxy${logging ? "-log" : ""}.cfg`, "both.pem", "hosts.map"].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  await writeFile(pem, (await readFile(cert, "utf8")) + (await readFile(key, "utf8")));
  await writeFile(hosts, HOSTS.map((host) => `${host} app\n`).join(""));
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 8192
${logging ? "  log stdout format raw local0" : ""}
defaults
  mode http
${logging ? "  log global\n  option httplog" : ""}
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  timeout connect 5s
  http-reuse always
frontend f
  bind 127.0.0.1:${http} backlog 4096
  bind 127.0.0.1:${https} backlog 4096 ssl crt ${pem} no-tls-tickets
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend live if { path_beg /live/ }
  use_backend %[req.hdr(host),lower,map(${hosts},app)]
backend app
  server s 127.0.0.1:${app}
backend live
  server s 127.0.0.1:${live}
`,
  );
  const argv = ["haproxy", "-q", "-f", file];
  const log = logging ? join(directory, "haproxy.log") : undefined;
  return contestant("haproxy", http, https, startPinned(PROXY_CORE, argv, {}, log));
};

const caddy: Start = async ({ directory, app, live, key, cert }, logging) => {
  if (Bun.which("caddy") === null) return undefined;
  const [http, https] = [freePort(), freePort()];
  const name = logging ? "caddy-log" : "caddy";
  const file = join(directory, `${name}.conf`);
  const log = logging ? `log {\n  output file ${directory}/caddy.log\n }` : "";
  await writeFile(
    file,
    `{
 admin off
 auto_https off
 servers {
  protocols h1
 }
}
(app) {
 bind 127.0.0.1
 ${log}
 reverse_proxy /live/* 127.0.0.1:${live}
 reverse_proxy 127.0.0.1:${app}
}
http://:${http} {
 import app
}
${HOSTS.map((host) => `http://${host}:${http}`).join(", ")} {
 import app
}
https://localhost:${https} {
 import app
 tls ${cert} ${key}
}
`,
  );
  const argv = ["caddy", "run", "--adapter", "caddyfile", "--config", file];
  const home = { GOMAXPROCS: "1", XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
  return contestant("caddy", http, https, startPinned(PROXY_CORE, argv, home));
};

/** In the order of a round; nginx is what the others are compared with. */
export const CONTESTANTS: [name: string, start: Start][] = [
  ["nginx", nginx],
  ["diplo", diplo],
  ["haproxy", haproxy],
  ["caddy", caddy],
];

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlServer, type ControlServerOptions } from "../../src/api/control-server.ts";
import { paths, readConfig } from "../../src/config.ts";
import { JobRunner } from "../../src/jobs/job-runner.ts";
import { createLog } from "../../src/log.ts";
import type { Operation } from "../../src/operation.ts";
import { Events } from "../../src/product/events/events.ts";
import { operations as allOperations } from "../../src/product/operations.ts";
import type { Parts } from "../../src/product/parts.ts";
import { Audit } from "../../src/security/audit/audit.ts";
import { Access } from "../../src/security/auth/access.ts";
import { openStore } from "../../src/store/open.ts";

export interface ControlBox extends AsyncDisposable {
  parts: Parts;
  server: ControlServer;
  url: string;
  socket: string;
  /** Lines the daemon logged. */
  logged: string[];
  /** A signed-in owner's Cookie header. */
  cookie(): string;
  token(scopes?: string[]): string;
}

export interface ControlBoxOptions extends Partial<Omit<ControlServerOptions, "operations">> {
  flags?: Record<string, string>;
  operations?: readonly unknown[];
  /** Stands for the nouns that a test does not need whole. */
  stubs?: object;
}

/** A control server on a free port and a socket of its own, with a real store, access, audit, events and jobs. */
export async function startControlBox({
  flags = {},
  stubs = {},
  ...options
}: ControlBoxOptions = {}): Promise<ControlBox> {
  const data = await mkdtemp(join(tmpdir(), "diplo-api-"));
  const settings = readConfig({ data, control: "127.0.0.1:0", ...flags }, {});
  const logged: string[] = [];
  const log = createLog("debug", (line) => logged.push(line));
  const store = await openStore({ file: ":memory:", backups: "", log });
  const events = new Events(store);
  const jobs = new JobRunner({ store, events, log, logs: paths.jobLogs(data) });
  const audit = new Audit(store);
  const parts = {
    settings,
    log,
    store,
    events,
    jobs,
    access: new Access(store, { audit }),
    audit,
    apps: { get: (name: string) => ({ name }) },
    ...stubs,
  } as unknown as Parts;
  const server = new ControlServer({
    parts,
    settings,
    log,
    handRoutes: [],
    ...options,
    operations: (options.operations ?? allOperations) as readonly Operation[],
  });
  await server.start();
  return {
    parts,
    server,
    url: `http://127.0.0.1:${server.port}`,
    socket: paths.controlSocket(data),
    logged,
    cookie: () => {
      const secret = parts.access.createLoginLink(["http://box"]).url.split("#")[1] as string;
      return `diplo_session=${parts.access.redeemLoginLink(secret, { ip: null, userAgent: null }).session}`;
    },
    token: (scopes = ["admin"]) =>
      parts.access.createToken({ name: "test", scopes }, parts.access.socketActor()).token,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await jobs.stop();
      store.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

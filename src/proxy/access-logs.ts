import { join } from "node:path";
import type { Log } from "../log.ts";
import { AccessLogFile } from "./access-log-file.ts";
import { type AccessFacts, writeCombinedLine, writeJsonLine } from "./access-log-format.ts";
import { openLibc } from "./libc.ts";
import { ACCESS_LOG_DIRECTORY, accessLogFile, type Route } from "./protocol.ts";

/** Where the requests of one route are written down. */
export interface AccessLog {
  write(facts: AccessFacts): void;
}

/** The access logs of this process: one file for each environment, shared by its processes and by all workers. */
export class AccessLogs {
  private readonly files = new Map<string, AccessLogFile>();
  private readonly directory: string;

  /** `directory` is the proxy's own. */
  constructor(
    directory: string,
    private readonly log: Log,
    private readonly flushMs: number,
  ) {
    this.directory = join(directory, ACCESS_LOG_DIRECTORY);
  }

  /** Undefined: the route wants none. */
  for(route: Route): AccessLog | undefined {
    const format = route.access_log ?? "off";
    if (format === "off") return undefined;
    const writeLine = format === "json" ? writeJsonLine : writeCombinedLine;
    const file = this.file(accessLogFile(route.app, route.environment));
    return { write: (facts) => file.add((out) => writeLine(out, facts)) };
  }

  /** Resolves when all is on disk that can be. */
  async close(): Promise<void> {
    await Promise.all([...this.files.values()].map((file) => file.close()));
  }

  private file(name: string): AccessLogFile {
    let file = this.files.get(name);
    if (file === undefined) {
      file = new AccessLogFile({
        path: join(this.directory, name),
        log: this.log,
        libc: openLibc(),
        flushMs: this.flushMs,
      });
      this.files.set(name, file);
    }
    return file;
  }
}

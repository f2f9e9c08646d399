import type { Config } from "../config.ts";
import { Box } from "./box.ts";
import type { CliIo } from "./cli-io.ts";
import { coloured, type Paint, plain } from "./colour.ts";
import { readCredentials } from "./credentials.ts";
import { findDoor } from "./door.ts";
import { findApp } from "./find-app.ts";

interface Facts {
  io: CliIo;
  config: Config;
  /** Print the API's JSON instead of text for people. */
  json: boolean;
  /** What -a said. */
  app: string | undefined;
}

/** What every verb gets besides its own arguments. */
export class CliContext {
  readonly io: CliIo;
  readonly config: Config;
  readonly json: boolean;
  readonly appFlag: string | undefined;
  /** Colours for stdout. */
  readonly paint: Paint;
  /** Colours for stderr. */
  readonly paintErr: Paint;
  #box: Box | undefined;

  constructor({ io, config, json, app }: Facts) {
    this.io = io;
    this.config = config;
    this.json = json;
    this.appFlag = app;
    this.paint = io.terminal.out && !config.client.plain ? coloured : plain;
    this.paintErr = io.terminal.err && !config.client.plain ? coloured : plain;
  }

  /** The box this command is about. Throws when there is none to be found; says nothing of whether it answers. */
  get box(): Box {
    this.#box ??= new Box(findDoor(this.config, readCredentials(this.config.client.directory)));
    return this.#box;
  }

  /** -a, DIPLO_APP, the git remote `diplo`, the directory's name if such an app exists. Throws UsageError. */
  app(): Promise<string> {
    return findApp({
      flag: this.appFlag,
      variable: this.config.client.app,
      directory: this.io.directory,
      exists: (name) => this.#appExists(name),
    });
  }

  printJson(body: unknown): void {
    this.io.out(`${JSON.stringify(body, null, 2)}\n`);
  }

  async #appExists(name: string): Promise<boolean> {
    const apps = await this.box.json<{ name: string }[]>({ method: "GET", path: "/apps" });
    return apps.some((app) => app.name === name);
  }
}

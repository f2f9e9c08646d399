import { VERSION } from "../../config.ts";
import { EXIT } from "../exit-code.ts";
import { COMMON } from "../flags.ts";
import { settingsHelp } from "../help.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

const HELP = COMMON.filter(({ name }) => name === "help");

/** `serve` and `proxy` are started by main.ts, before this folder is loaded: here they are only told about. */
function process(name: string, summary: string): Verb {
  return {
    name,
    summary,
    usage: "",
    notes: `Settings (flag, environment variable):\n${settingsHelp().trimEnd()}`,
    flags: HELP,
    run: async () => {
      throw new UsageError(`diplo ${name} stands first on its command line`);
    },
  };
}

export const serve: Verb = process(
  "serve",
  "Run the box: API, dashboard, jobs; starts the proxy unless systemd does",
);
export const proxy: Verb = process("proxy", "Run the data plane alone: takes the apps' requests");

export const version: Verb = {
  name: "version",
  summary: "The version of this executable",
  usage: "",
  flags: COMMON.filter(({ name }) => name !== "data"),
  run: async (_given, context) => {
    if (context.json) context.printJson({ version: VERSION });
    else context.io.out(`diplo ${VERSION}\n`);
    return EXIT.ok;
  },
};

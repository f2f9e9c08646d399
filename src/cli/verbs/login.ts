import { DiploError } from "../../errors.ts";
import { Box } from "../box.ts";
import type { CliContext } from "../cli-context.ts";
import { forgetCredentials, readCredentials, writeCredentials } from "../credentials.ts";
import { EXIT } from "../exit-code.ts";
import { COMMON } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

const FLAGS = COMMON.filter(({ name }) => name === "help");

export const login: Verb = {
  name: "login",
  summary: "Remember a box elsewhere and a token for it",
  usage: "<url>",
  notes: "The token is asked for, or read from stdin; make one on the box with: diplo tokens:create NAME",
  flags: FLAGS,
  example: "diplo login http://box.local:8080",
  run: async ({ positionals }, context) => {
    const { io, config } = context;
    const url = addressOf(positionals);
    const token = (io.terminal.in ? await io.ask(`Token for ${url}: `, true) : await piped(context)).trim();
    if (!token) throw new UsageError("no token was given");
    const version = await greet(url, token);
    const file = await writeCredentials(config.client.directory, { url, token });
    io.err(`Signed in to ${url}${version ? ` (Diplo ${version})` : ""}; kept in ${file}\n`);
    return EXIT.ok;
  },
};

export const logout: Verb = {
  name: "logout",
  summary: "Forget the box and the token that login kept",
  usage: "",
  notes: "The token itself stays good; revoke it with: diplo tokens:revoke ID",
  flags: FLAGS,
  run: async (_given, { io, config }) => {
    const url = readCredentials(config.client.directory)?.url;
    io.err(
      forgetCredentials(config.client.directory) ? `Signed out of ${url}.\n` : "Nobody was signed in.\n",
    );
    return EXIT.ok;
  },
};

/** Throws UsageError for what is no address. */
function addressOf(positionals: readonly string[]): string {
  const [typed, more] = positionals;
  if (!typed || more) throw new UsageError("wants the address of the box, as in http://box.local:8080");
  const text = /^[a-z]+:\/\//i.test(typed) ? typed : `http://${typed}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw new UsageError(`${typed} is no address of a box`, "As in http://box.local:8080");
  return url.origin;
}

const piped = async ({ io }: CliContext): Promise<string> => new TextDecoder().decode(await io.readAll());

/** Asks something that needs the token. A token with few rights is still a good one. */
async function greet(url: string, token: string): Promise<string | null> {
  const box = new Box({ kind: "url", url, token });
  try {
    return (await box.json<{ version: string }>({ method: "GET", path: "/system/info" })).version;
  } catch (error) {
    if (error instanceof DiploError && error.status === 403) return null;
    throw error;
  }
}

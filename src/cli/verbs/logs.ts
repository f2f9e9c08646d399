import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { APP, COMMON, flag } from "../flags.ts";
import { pathSegment } from "../operation-request.ts";
import { resumedEvents } from "../resumed-events.ts";
import { printable } from "../table.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

export const logs: Verb = {
  name: "logs",
  summary: "What the app's instances print, or the requests that the proxy took",
  usage: "[app]",
  flags: [
    APP,
    flag("tail", "boolean", "go on with new lines until Ctrl-C", { short: "t" }),
    flag("lines", "integer", "how many of the latest lines (default 100)", { short: "n" }),
    flag("source", "text", "app, or router for the access log (apps:set --access-log json turns it on)", {
      placeholder: "SOURCE",
    }),
    flag("process", "text", "only this process", { placeholder: "NAME" }),
    flag("instance", "text", "only this instance", { placeholder: "NAME" }),
    flag("since", "text", "only after this time, as in 2026-01-31T12:00:00Z", { placeholder: "TIME" }),
    ...COMMON.filter(({ name }) => name !== "json"),
  ],
  example: "diplo logs -a blog --tail",
  run: async ({ flags, positionals }, context) => {
    if (positionals.length > 1) throw new UsageError(`"${positionals[1]}" is one argument too many`);
    const app = positionals[0] ?? (await context.app());
    const path = `/apps/${pathSegment(app)}/logs`;
    const wanted = ["source", "lines", "process", "instance", "since"].map((name) => [
      name,
      flags.get(name) as string | undefined,
    ]);
    const query = Object.fromEntries(wanted);
    return flags.get("tail") ? follow(path, query, context) : print(path, query, context);
  },
};

type Query = Record<string, string | undefined>;

async function print(path: string, query: Query, { box, io }: CliContext): Promise<number> {
  const { body } = await box.fetch({ method: "GET", path, query, headers: { accept: "text/plain" } });
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
    if (io.terminal.out) io.out(printable(decoder.decode(part.value, { stream: true })));
    else io.outBytes(part.value);
  return EXIT.ok;
}

/** Goes on after the box was restarted; ends with Ctrl-C. */
async function follow(path: string, query: Query, { box, io }: CliContext): Promise<number> {
  const leaving = new AbortController();
  using _interrupt = io.onInterrupt(() => leaving.abort());
  for await (const { data } of resumedEvents(box, { path, query: { ...query, follow: "1" } }, leaving)) {
    const { at, instance, text } = JSON.parse(data) as { at: string; instance: string; text: string };
    const shown = io.terminal.out ? printable(text) : text;
    io.out(query.source === "router" ? `${shown}\n` : `${at} ${instance}: ${shown}\n`);
  }
  return leaving.signal.aborted ? EXIT.cancelled : EXIT.ok;
}

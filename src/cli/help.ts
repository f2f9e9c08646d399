import { SETTINGS } from "../config.ts";
import type { FlagSpec } from "./flag-spec.ts";
import type { Verb } from "./verb.ts";

/** Where a verb's noun stands in the overview; nouns that are not listed come last, under "More". */
const SECTIONS: Record<string, string[]> = {
  Deploy: [
    "deploy",
    "deployments",
    "rollback",
    "releases",
    "build",
    "plan",
    "sources",
    "deploy-key",
    "credentials",
    "ssh-hosts",
    "registries",
  ],
  Apps: ["apps", "ps", "logs", "requests", "run", "domains"],
  "Config and data": ["config", "storage"],
  "The box": ["serve", "proxy", "doctor", "system", "runtimes", "jobs", "destroy-box", "version"],
  Access: ["login", "logout", "login-link", "tokens"],
};

/** Every verb there is, in sections, one line each. */
export function overview(verbs: readonly Verb[]): string {
  const nouns = Object.values(SECTIONS).flat();
  const inSection = (names: string[]) => names.flatMap((name) => verbs.filter((verb) => noun(verb) === name));
  const more = verbs.filter((verb) => !nouns.includes(noun(verb)));
  const sections = [
    ...Object.entries(SECTIONS).map(([title, names]) => ({ title, verbs: inSection(names) })),
    { title: "More", verbs: more },
  ].filter((section) => section.verbs.length > 0);
  const width = Math.max(...verbs.map((verb) => head(verb).length));
  const body = sections.map(
    ({ title, verbs }) =>
      `\n${title}\n${verbs.map((verb) => line(head(verb), verb.summary, width)).join("")}`,
  );
  return `diplo: from a git URL to a running app\n${body.join("")}\ndiplo <verb> --help tells more. Every listing takes --json.\n`;
}

/** One verb: how it is written, what it does, its flags. */
export function verbHelp(verb: Verb): string {
  const flags = verb.flags.map((flag) => [flagHead(flag), flag.help] as const);
  const width = Math.max(...flags.map(([left]) => left.length));
  return [
    `diplo ${head(verb)} [flags]`,
    "",
    `${verb.summary}.`,
    ...(verb.notes ? ["", verb.notes] : []),
    "",
    ...flags.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()),
    ...(verb.example ? ["", `Example: ${verb.example}`] : []),
    "",
  ].join("\n");
}

/** The settings that `serve` and `proxy` take, with the variables that stand for them. */
export function settingsHelp(): string {
  const rows = Object.entries(SETTINGS).map(
    ([name, { env, value, help }]) => [`--${name}${value && ` ${value}`}`, env, help] as const,
  );
  const widths = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map(([a, b, c]) => `  ${a.padEnd(widths[0]!)}  ${b.padEnd(widths[1]!)}  ${c}\n`).join("");
}

const noun = (verb: Verb): string => verb.name.split(":")[0]!;
const head = (verb: Verb): string => `${verb.name} ${verb.usage}`.trim();

function line(left: string, right: string, width: number): string {
  return `  ${left.padEnd(width)}  ${right}\n`;
}

function flagHead({ name, short, type, placeholder }: FlagSpec): string {
  // Both are on unless told otherwise.
  const shown = name === "wait" || name === "tty" ? `no-${name}` : name;
  return `${short ? `-${short}, ` : ""}--${shown}${type === "boolean" ? "" : ` ${placeholder}`}`;
}

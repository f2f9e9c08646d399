import type { FlagSpec, FlagType } from "./flag-spec.ts";

/** Declares a flag by hand; its value lands under its own name. */
export function flag(name: string, type: FlagType, help: string, more: Partial<FlagSpec> = {}): FlagSpec {
  const placeholder = {
    text: "TEXT",
    integer: "N",
    number: "N",
    boolean: "",
    list: "A,B",
    pairs: "NAME=VALUE",
  }[type];
  return {
    name,
    path: [name.replaceAll("-", "_")],
    type,
    help,
    placeholder,
    nullable: false,
    choices: [],
    required: false,
    ...more,
  };
}

/** Taken by every verb that talks to a box. */
export const COMMON: readonly FlagSpec[] = [
  flag("json", "boolean", "the API's own JSON"),
  flag("data", "text", "data directory of the Diplo on this machine", { placeholder: "DIR" }),
  flag("help", "boolean", "this text", { short: "h" }),
];

export const APP = flag(
  "app",
  "text",
  "the app: NAME or NAME@ENVIRONMENT (else DIPLO_APP, git remote, directory)",
  {
    short: "a",
    placeholder: "NAME",
  },
);

export const NO_WAIT = flag("wait", "boolean", "answer at once instead of following the deployment");
export const VERBOSE = flag("verbose", "boolean", "print the whole build log", { short: "v" });

import { type Flags, SETTINGS } from "./config.ts";
import { DiploError } from "./errors.ts";

/** `--data DIR`, `--data=DIR`, `--control-public` → values by name. Throws `bad_setting` for anything else. */
export function settingFlags(args: string[]): Flags {
  const flags: Flags = {};
  for (let i = 0; i < args.length; i++) {
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(args[i] ?? "");
    const setting = SETTINGS[match?.[1] ?? ""];
    if (!match || !setting)
      throw new DiploError("bad_setting", `"${args[i]}" is no setting`, {
        hint: `Settings: ${Object.keys(SETTINGS)
          .map((name) => `--${name}`)
          .join(" ")}`,
      });
    const name = match[1] as string;
    if (match[2] !== undefined) flags[name] = match[2];
    else if (setting.value === "") flags[name] = true;
    else if (args[i + 1] === undefined)
      throw new DiploError("bad_setting", `--${name} needs ${setting.value}`);
    else flags[name] = args[++i];
  }
  return flags;
}

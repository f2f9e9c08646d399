import type { ConfigVar } from "../../product/config/config-var.ts";
import { ago } from "../readable.ts";
import { table } from "../table.ts";
import type { View } from "./view-facts.ts";

export const configList: View<ConfigVar[]> = (vars, { paint, now }) => {
  if (vars.length === 0) return "No config yet. Set some: diplo config:set NAME=value\n";
  return table<ConfigVar>(
    [
      { title: "NAME", cell: ({ name }) => name },
      // A value may hold newlines: on one line it is shown as JSON would write it.
      { title: "VALUE", cell: ({ value }) => (value === null ? paint("dim", "••••••") : shown(value)) },
      { title: "CHANGED", cell: (row) => `${ago(row.updated_at, now)} by ${row.updated_by}` },
    ],
    vars,
  );
};

/** The bare value, byte for byte, for `$(diplo config:get NAME)`. */
export const configValue: View<ConfigVar> = ({ value }) => `${value ?? ""}\n`;

export const configChanged: View<{ changed: string[]; deployment_id: string | null }> = ({
  changed,
  deployment_id,
}) => {
  if (changed.length === 0) return "Nothing changed: the config is so already.\n";
  const names = changed.join(", ");
  return deployment_id ? `Changed ${names}; a new release follows.\n` : `Changed ${names}.\n`;
};

function shown(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not reach a terminal
  return /[\x00-\x1f\x7f]/.test(value) ? JSON.stringify(value) : value;
}

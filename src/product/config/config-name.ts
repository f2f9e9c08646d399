import { invalid } from "../../errors.ts";

/** Limits of the kernel: MAX_ARG_STRLEN is 32 pages for one `NAME=value`; ARG_MAX leaves room for 1 MiB in all. */
const MAX_ENTRY_BYTES = 128 * 1024 - 1;
export const MAX_TOTAL_BYTES = 1024 * 1024;

/** Throws unless the pair can be an environment variable of a process (capabilities J1). The value is never repeated. */
export function checkVar(name: string, value: string | null): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw invalid(
      name.slice(0, 80) || "name",
      "is no name for a variable",
      "Use letters, digits and _, not beginning with a digit.",
    );
  // A key of JavaScript's own: an object made by assignment would lose it in silence.
  if (name === "__proto__") throw invalid(name, "cannot be a variable here", "Choose another name.");
  if (name === "PORT")
    throw invalid(name, "is set by Diplo", "Change the app's port instead: diplo apps:set --port 3000");
  if (name.startsWith("DIPLO_"))
    throw invalid(name, "names beginning with DIPLO_ are Diplo's own", "Choose another name.");
  if (value === null) return;
  if (value.includes("\0"))
    throw invalid(name, "its value holds a NUL byte", "No environment variable can hold one.");
  if (Buffer.byteLength(name) + 1 + Buffer.byteLength(value) > MAX_ENTRY_BYTES)
    throw invalid(name, "name and value are longer than 128 KiB together", "Keep large data in a volume.");
}

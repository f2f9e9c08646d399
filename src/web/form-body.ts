import { DiploError } from "../errors.ts";

/** A config value may have 128 KiB, all of them 1 MiB; percent-encoding can triple that. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The fields of a posted form. A native form sends line breaks as CRLF, htmx as LF: LF is what was typed.
 * Throws `form_too_large`, `form_expected`.
 */
export async function readForm(request: Request): Promise<Map<string, string>> {
  const type = request.headers.get("content-type") ?? "";
  if (type !== "" && !type.startsWith("application/x-www-form-urlencoded")) {
    throw new DiploError("form_expected", `not a form: ${type.slice(0, 60)}`, { status: 415 });
  }
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) throw tooLarge();
  const text = await request.text();
  if (text.length > MAX_BYTES) throw tooLarge();
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) fields.set(name, value.replace(/\r\n?/g, "\n"));
  return fields;
}

const tooLarge = () =>
  new DiploError("form_too_large", "form over 4 MB", {
    status: 413,
    detail: "This is more than a form may hold (4 MB).",
  });

/** The field without blanks around it; undefined when it is empty or absent. */
export function filled(form: Map<string, string>, name: string): string | undefined {
  return form.get(name)?.trim() || undefined;
}

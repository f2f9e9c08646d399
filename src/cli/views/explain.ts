import type { ErrorBody } from "../../product/schema.ts";
import type { Paint } from "../colour.ts";
import { safe } from "../table.ts";

/** A failure as people read it: what, why, what it rests on, what to do. */
export function explain({ code, title, detail, evidence, hint }: ErrorBody, paint: Paint): string {
  const lines = [`${paint("red", safe(title))} (${code})`];
  if (detail && detail !== title) lines.push(safe(detail));
  for (const line of evidence) lines.push(`  ${paint("dim", "│")} ${safe(line)}`);
  if (hint) lines.push(`${paint("bold", "Try:")} ${safe(hint)}`);
  return `${lines.join("\n")}\n`;
}

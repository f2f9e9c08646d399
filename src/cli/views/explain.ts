import type { ErrorBody } from "../../product/schema.ts";
import type { Colour, Paint } from "../colour.ts";
import { safe } from "../table.ts";

/** What is not as it should be although it is live. */
export function warn(warning: ErrorBody, paint: Paint): string {
  return `${paint("yellow", "Warning:")} ${explain(warning, paint, "yellow")}`;
}

/** A failure as people read it: what, why, what it rests on, what to do. */
export function explain(
  { code, title, detail, evidence, hint }: ErrorBody,
  paint: Paint,
  colour: Colour = "red",
): string {
  const lines = [`${paint(colour, safe(title))} (${code})`];
  if (detail && detail !== title) lines.push(safe(detail));
  for (const line of evidence) lines.push(`  ${paint("dim", "│")} ${safe(line)}`);
  if (hint) lines.push(`${paint("bold", "Try:")} ${safe(hint)}`);
  return `${lines.join("\n")}\n`;
}

import { invalid } from "../../errors.ts";

const LINE = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*/;

/**
 * Reads a dotenv text: `NAME=value`, `#` comments, 'single' quotes literal, "double" quotes with \n \r \t \" \\ \$,
 * both over several lines. No substitution: `pa$$word` stays what it is. Throws `invalid` with the line's number.
 */
export function parseDotenv(text: string): Map<string, string> {
  const vars = new Map<string, string>();
  let rest = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  let line = 1;
  const skip = (length: number) => {
    line += rest.slice(0, length).split("\n").length - 1;
    rest = rest.slice(length);
  };
  while (rest !== "") {
    const blank = /^(?:[ \t]*(?:#[^\n]*)?(?:\n|$))/.exec(rest);
    if (blank && blank[0] !== "") {
      skip(blank[0].length);
      continue;
    }
    if (rest.trim() === "") break;
    skip(/^[ \t]*/.exec(rest)?.[0].length ?? 0);
    const head = LINE.exec(rest);
    if (!head) throw invalid("dotenv", `line ${line} is not NAME=value`, "Comments begin with #.");
    skip(head[0].length);
    const { value, length } = readValue(rest, line);
    vars.set(head[1] ?? "", value);
    skip(length);
  }
  return vars;
}

function readValue(rest: string, line: number): { value: string; length: number } {
  const quote = rest[0];
  if (quote !== '"' && quote !== "'") {
    const plain = /^[^\n]*/.exec(rest)?.[0] ?? "";
    return { value: plain.replace(/(^|[ \t]+)#.*$/, "").trim(), length: plain.length };
  }
  const quoted = (
    quote === '"'
      ? /^"((?:[^"\\]|\\[\s\S])*)"[ \t]*(?:#[^\n]*)?(?=\n|$)/
      : /^'([^']*)'[ \t]*(?:#[^\n]*)?(?=\n|$)/
  ).exec(rest);
  if (!quoted) throw invalid("dotenv", `the quote opened on line ${line} is not closed`);
  const body = quoted[1] ?? "";
  return { value: quote === '"' ? body.replace(/\\([\s\S])/g, unescaped) : body, length: quoted[0].length };
}

function unescaped(_whole: string, char: string): string {
  return { n: "\n", r: "\r", t: "\t" }[char] ?? (/["\\$`]/.test(char) ? char : `\\${char}`);
}

/** Writes a text that `parseDotenv` reads back byte for byte. */
export function formatDotenv(vars: Iterable<readonly [string, string]>): string {
  return [...vars].map(([name, value]) => `${name}=${formatValue(value)}\n`).join("");
}

function formatValue(value: string): string {
  if (/^[A-Za-z0-9_./:@%+,=-]*$/.test(value)) return value;
  if (!value.includes("'") && !value.includes("\r")) return `'${value}'`;
  return `"${value
    .replace(/["\\$`]/g, "\\$&")
    .replace(/\r/g, "\\r")
    .replace(/\n/g, "\\n")}"`;
}

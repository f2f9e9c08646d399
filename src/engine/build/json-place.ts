/** Where a text stops being JSON (RFC 8259), both counted from 1; null when it never does. */
export function jsonMistake(text: string): { line: number; column: number } | null {
  const offset = firstMistake(text);
  if (offset === null) return null;
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

const TOKEN =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.]))/uy;

/** What may come next: a value, a name (`{` or `,` before it), the colon after one, or `,` and the closing bracket. */
type Expected = "value" | "value or ]" | "name" | "name or }" | ":" | "more" | "end";

function firstMistake(text: string): number | null {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let position = 0;
  const afterValue = (): Expected => (open.length === 0 ? "end" : "more");
  const close = (bracket: "{" | "[", allowed: Expected): boolean => {
    if (open.at(-1) !== bracket || (expected !== "more" && expected !== allowed)) return false;
    open.pop();
    expected = afterValue();
    return true;
  };
  const take = (sign: string | undefined, name: string | undefined): boolean => {
    if (sign === "}") return close("{", "name or }");
    if (sign === "]") return close("[", "value or ]");
    const wantsValue = expected === "value" || expected === "value or ]";
    if (sign === "{" || sign === "[") {
      if (!wantsValue) return false;
      open.push(sign);
      expected = sign === "{" ? "name or }" : "value or ]";
    } else if (sign === ",") {
      if (expected !== "more") return false;
      expected = open.at(-1) === "{" ? "name" : "value";
    } else if (sign === ":") {
      if (expected !== ":") return false;
      expected = "value";
    } else if (wantsValue) expected = afterValue();
    else if (name !== undefined && (expected === "name" || expected === "name or }")) expected = ":";
    else return false;
    return true;
  };
  for (;;) {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (match === null || !take(match[1], match[2])) break;
    position = TOKEN.lastIndex;
  }
  const rest = text.slice(position);
  if (rest.trim() === "" && (expected as Expected) === "end") return null;
  return position + rest.length - rest.trimStart().length;
}

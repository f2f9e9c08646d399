import type { Choice } from "../src/engine/build/plan.ts";

/** The lines of one language that have images. One table for all, so that a test can prove it complete. */
export interface RuntimeLines {
  /** As image tags spell them, newest first. */
  lines: string[];
  /** Still asked for, without security releases any more. */
  ended: string[];
  /** What a repository gets that says nothing: the newest long-term line, else the newest that is widely supported. */
  newest: string;
}

export const RUNTIMES = {
  node: { lines: ["24", "22", "20"], ended: ["18", "16"], newest: "24" },
  bun: { lines: ["1"], ended: [], newest: "1" },
  deno: { lines: ["2"], ended: ["1"], newest: "2" },
  python: { lines: ["3.14", "3.13", "3.12", "3.11", "3.10"], ended: ["3.9", "3.8"], newest: "3.13" },
  go: { lines: ["1.26", "1.25", "1.24"], ended: ["1.23", "1.22", "1.21", "1.20"], newest: "1.25" },
  ruby: { lines: ["3.4", "3.3", "3.2"], ended: ["3.1", "3.0"], newest: "3.4" },
  php: { lines: ["8.4", "8.3", "8.2"], ended: ["8.1", "8.0"], newest: "8.4" },
  java: { lines: ["25", "21", "17", "11"], ended: ["8"], newest: "21" },
  dotnet: { lines: ["10.0", "9.0", "8.0"], ended: ["7.0", "6.0"], newest: "8.0" },
  elixir: { lines: ["1.18", "1.17", "1.16"], ended: ["1.15", "1.14"], newest: "1.18" },
  rust: { lines: ["1"], ended: [], newest: "1" },
} satisfies Record<string, RuntimeLines>;

export type RuntimeName = keyof typeof RUNTIMES;

/** What a repository says about a version, in npm's range syntax or as a bare version. */
export interface VersionWish {
  range: string;
  /** Where it says so, with its own words. */
  from: string;
}

export interface ChosenVersion {
  version: Choice<string>;
  warnings: string[];
}

/** The line that fits a wish, else the newest; says where it came from and what is wrong with it. */
export function chooseVersion(runtime: RuntimeName, wish: VersionWish | null): ChosenVersion {
  const { newest, ended } = RUNTIMES[runtime] as RuntimeLines;
  if (wish === null)
    return { version: { value: newest, from: `newest stable line of ${runtime}` }, warnings: [] };
  const line = lineFor(RUNTIMES[runtime], wish.range);
  if (line === null) {
    return {
      version: { value: newest, from: `newest stable line of ${runtime}` },
      warnings: [`${wish.from} could not be read as a version of ${runtime}; ${newest} is used.`],
    };
  }
  const warnings = ended.includes(line)
    ? [`${runtime} ${line} (${wish.from}) gets no security releases any more.`]
    : [];
  return { version: { value: line, from: wish.from }, warnings };
}

/** A bare version names its line; a range gets the newest supported line inside it, else the newest ended one. */
function lineFor({ lines, ended, newest }: RuntimeLines, range: string): string | null {
  const text = range.trim().toLowerCase();
  if (/^(\*|x|latest|stable|current|node|lts|lts\/\*)$/.test(text)) return newest;
  const parts = newest.split(".").length;
  const bare = /^[v=]*\s*(\d+(?:\.\d+)*)(?:\.[x*])?$/.exec(text);
  if (bare !== null) {
    const numbers = bare[1]!.split(".");
    if (numbers.length >= parts) return numbers.slice(0, parts).join(".");
    const known = [...lines, ...ended].find((line) => line.startsWith(`${numbers.join(".")}.`));
    return known ?? null;
  }
  // Bun takes a range it cannot read for "any".
  if (!/\d/.test(text)) return null;
  // A line's last version stands for all of it: a range that names a line nearly always takes its newest.
  const fits = (line: string) =>
    Bun.semver.satisfies([...line.split("."), "99", "99"].slice(0, 3).join("."), text);
  const inside = (fits(newest) ? newest : lines.find(fits)) ?? ended.find(fits);
  if (inside !== undefined) return inside;
  const first = /\d+(?:\.\d+)*/.exec(text)?.[0].split(".");
  return first !== undefined && first.length >= parts ? first.slice(0, parts).join(".") : null;
}

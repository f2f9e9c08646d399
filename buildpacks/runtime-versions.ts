import type { Choice } from "../src/engine/build/plan.ts";

/** One line of a language: what a tag of its image is made of. */
interface Line {
  /** As image tags spell it. */
  line: string;
  /** First stable release, `YYYY-MM-DD`, or `YYYY-MM` where no day was announced. */
  released: string;
  /** Last day of its security releases; null for a line that is never closed while it is the newest. */
  ends: string | null;
  /** From when its makers call it a long-term line. */
  long_term?: string;
}

export interface Runtime {
  /** Newest first, with those that ended and are still asked for. */
  lines: Line[];
  /** Set where the last of the lines is the oldest that there is an image of on the Debian we build on. */
  oldest_image?: string;
  /**
   * What a repository gets that says nothing. `long-term`: the newest long-term line. `settled`: no line is
   * long-term, so the newest that has been out for a year, as packages take that long to follow. `newest`: the newest,
   * as it promises to build what older ones built.
   */
  rule: "long-term" | "settled" | "newest";
  /** Where the dates come from. */
  source: string;
}

/** The day on which the table was last compared with its sources. */
export const TABLE_DATE = "2026-11-21";

/** Every line that plans may choose, for all languages in one place, so that a test can hold it complete. */
export const RUNTIMES = {
  node: {
    rule: "long-term",
    source: "github.com/nodejs/Release (schedule.json)",
    lines: [
      { line: "26", released: "2026-04-22", long_term: "2026-10-28", ends: "2029-04-30" },
      { line: "24", released: "2025-05-06", long_term: "2025-10-28", ends: "2028-04-30" },
      { line: "22", released: "2024-04-24", long_term: "2024-10-29", ends: "2027-04-30" },
      { line: "20", released: "2023-04-18", long_term: "2023-10-24", ends: "2026-04-30" },
      { line: "18", released: "2022-04-19", long_term: "2022-10-25", ends: "2025-04-30" },
      { line: "16", released: "2021-04-20", long_term: "2021-10-26", ends: "2023-09-11" },
    ],
    oldest_image: "16",
  },
  bun: {
    rule: "newest",
    source: "bun.com (one line, released continuously)",
    lines: [{ line: "1", released: "2023-09-08", ends: null }],
  },
  deno: {
    rule: "newest",
    source: "docs.deno.com (stability and releases)",
    lines: [
      { line: "2", released: "2024-10-09", ends: null },
      { line: "1", released: "2020-05-13", ends: "2024-10" },
    ],
  },
  python: {
    rule: "settled",
    source: "devguide.python.org/versions",
    lines: [
      { line: "3.15", released: "2026-10-01", ends: "2031-10" },
      { line: "3.14", released: "2025-10-07", ends: "2030-10" },
      { line: "3.13", released: "2024-10-07", ends: "2029-10" },
      { line: "3.12", released: "2023-10-02", ends: "2028-10" },
      { line: "3.11", released: "2022-10-24", ends: "2027-10" },
      { line: "3.10", released: "2021-10-04", ends: "2026-10" },
      { line: "3.9", released: "2020-10-05", ends: "2025-10" },
      { line: "3.8", released: "2019-10-14", ends: "2024-10" },
    ],
    oldest_image: "3.8",
  },
  go: {
    rule: "newest",
    source: "go.dev/doc/devel/release (a line ends with the second after it; one every February and August)",
    lines: [
      { line: "1.27", released: "2026-08", ends: "2027-08" },
      { line: "1.26", released: "2026-02", ends: "2027-02" },
      { line: "1.25", released: "2025-08", ends: "2026-08" },
      { line: "1.24", released: "2025-02", ends: "2026-02" },
      { line: "1.23", released: "2024-08", ends: "2025-08" },
      { line: "1.22", released: "2024-02", ends: "2025-02" },
      { line: "1.21", released: "2023-08", ends: "2024-08" },
      { line: "1.20", released: "2023-02", ends: "2024-02" },
    ],
    oldest_image: "1.20",
  },
  ruby: {
    rule: "settled",
    source: "ruby-lang.org/en/downloads/branches",
    lines: [
      { line: "4.0", released: "2025-12-25", ends: "2029-03-31" },
      { line: "3.4", released: "2024-12-25", ends: "2028-03-31" },
      { line: "3.3", released: "2023-12-25", ends: "2027-03-31" },
      { line: "3.2", released: "2022-12-25", ends: "2026-03-31" },
      { line: "3.1", released: "2021-12-25", ends: "2025-03-26" },
      { line: "3.0", released: "2020-12-25", ends: "2024-04-23" },
    ],
    oldest_image: "3.0",
  },
  php: {
    rule: "settled",
    source: "php.net/supported-versions.php",
    lines: [
      { line: "8.5", released: "2025-11-20", ends: "2029-12-31" },
      { line: "8.4", released: "2024-11-21", ends: "2028-12-31" },
      { line: "8.3", released: "2023-11-23", ends: "2027-12-31" },
      { line: "8.2", released: "2022-12-08", ends: "2026-12-31" },
      { line: "8.1", released: "2021-11-25", ends: "2025-12-31" },
      { line: "8.0", released: "2020-11-26", ends: "2023-11-26" },
    ],
    oldest_image: "8.0",
  },
  java: {
    rule: "long-term",
    source: "adoptium.net/support (Temurin)",
    lines: [
      { line: "25", released: "2025-09-16", long_term: "2025-09-16", ends: "2031-09" },
      { line: "21", released: "2023-09-19", long_term: "2023-09-19", ends: "2029-12" },
      { line: "17", released: "2021-09-14", long_term: "2021-09-14", ends: "2027-10" },
      { line: "11", released: "2018-09-25", long_term: "2018-09-25", ends: "2027-10" },
      { line: "8", released: "2014-03-18", long_term: "2014-03-18", ends: "2030-12" },
    ],
  },
  dotnet: {
    rule: "long-term",
    source: "dotnet.microsoft.com/platform/support/policy",
    lines: [
      { line: "11.0", released: "2026-11-10", ends: "2028-11" },
      { line: "10.0", released: "2025-11-11", long_term: "2025-11-11", ends: "2028-11" },
      { line: "9.0", released: "2024-11-12", ends: "2026-11-10" },
      { line: "8.0", released: "2023-11-14", long_term: "2023-11-14", ends: "2026-11-10" },
      { line: "7.0", released: "2022-11-08", ends: "2024-05-14" },
      { line: "6.0", released: "2021-11-08", long_term: "2021-11-08", ends: "2024-11-12" },
    ],
  },
  elixir: {
    rule: "settled",
    source:
      "hexdocs.pm/elixir/compatibility-and-deprecations.html (a line ends with the fifth after it, about 30 months)",
    lines: [
      { line: "1.20", released: "2026-06", ends: "2028-12" },
      { line: "1.19", released: "2025-10", ends: "2028-06" },
      { line: "1.18", released: "2024-12", ends: "2027-12" },
      { line: "1.17", released: "2024-06", ends: "2027-06" },
      { line: "1.16", released: "2023-12", ends: "2026-12" },
      { line: "1.15", released: "2023-06", ends: "2026-06" },
      { line: "1.14", released: "2022-09", ends: "2025-10" },
    ],
  },
  rust: {
    rule: "newest",
    source: "rust-lang.org (one line, released every six weeks)",
    lines: [{ line: "1", released: "2015-05-15", ends: null }],
  },
} satisfies Record<string, Runtime>;

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

const WHY = {
  "long-term": (name) => `newest long-term line of ${name}`,
  settled: (name) => `newest line of ${name} that has been out for a year`,
  newest: (name) => `newest line of ${name}`,
} satisfies Record<Runtime["rule"], (name: string) => string>;

/** What a repository gets that says nothing, by the runtime's rule on the table's own day. */
export function defaultVersion(name: RuntimeName): Choice<string> {
  const { rule, lines }: Runtime = RUNTIMES[name];
  const yearAgo = `${Number(TABLE_DATE.slice(0, 4)) - 1}${TABLE_DATE.slice(4)}`;
  const fits = ({ released, long_term }: Line) => {
    if (rule === "long-term") return long_term !== undefined && long_term <= TABLE_DATE;
    return rule === "newest" || lastDay(released) <= yearAgo;
  };
  return { value: lines.find(fits)!.line, from: WHY[rule](name) };
}

/** Whether a line had no security releases any more on a day (`YYYY-MM-DD`). False for lines newer than the table. */
export function hasEnded(name: RuntimeName, line: string, day: string): boolean {
  if (hasNoImage(name, line)) return true;
  const ends = endOf(name, line);
  return ends !== null && lastDay(ends) < day;
}

/** The line that fits a wish, else the default; says where it came from and what is wrong with it on that day. */
export function chooseVersion(
  name: RuntimeName,
  wish: VersionWish | null,
  today = new Date().toISOString().slice(0, 10),
): ChosenVersion {
  const unsaid = defaultVersion(name);
  if (wish === null) return { version: unsaid, warnings: [] };
  const line = lineFor(RUNTIMES[name], unsaid.value, wish.range);
  if (line === null) {
    const warning = `${wish.from} could not be read as a version of ${name}; ${unsaid.value} is used.`;
    return { version: unsaid, warnings: [warning] };
  }
  if (hasNoImage(name, line)) {
    const oldest = RUNTIMES[name].lines.at(-1)!.line;
    const warning = `${wish.from}: there is no image of ${name} ${line}; ${oldest} is used, the oldest there is.`;
    return { version: { value: oldest, from: wish.from }, warnings: [warning] };
  }
  const warnings = hasEnded(name, line, today)
    ? [`${name} ${line} (${wish.from}) has had no security releases since ${endOf(name, line)}.`]
    : [];
  return { version: { value: line, from: wish.from }, warnings };
}

/** Whether a line is older than every image that we could build on. */
function hasNoImage(name: RuntimeName, line: string): boolean {
  const { oldest_image }: Runtime = RUNTIMES[name];
  return oldest_image !== undefined && Bun.semver.order(fullVersion(line), fullVersion(oldest_image)) < 0;
}

/** A line's first version, in full. */
function fullVersion(line: string): string {
  return [...line.split("."), "0", "0"].slice(0, 3).join(".");
}

function endOf(name: RuntimeName, line: string): string | null {
  return (RUNTIMES[name].lines as Line[]).find((one) => one.line === line)?.ends ?? null;
}

/** A month stands for its last day; no day of a month sorts after 31. */
function lastDay(date: string): string {
  return date.length === 7 ? `${date}-31` : date;
}

/** A bare version names its line; a range gets the default inside it, else its newest line. */
function lineFor({ lines }: Runtime, unsaid: string, range: string): string | null {
  const text = range.trim().toLowerCase();
  if (/^(\*|x|latest|stable|current|node|lts|lts\/\*)$/.test(text)) return unsaid;
  const known = lines.map(({ line }) => line);
  const parts = unsaid.split(".").length;
  const bare = /^[v=]*\s*(\d+(?:\.\d+)*)(?:\.[x*])?$/.exec(text);
  if (bare !== null) {
    const numbers = bare[1]!.split(".");
    if (numbers.length >= parts) return numbers.slice(0, parts).join(".");
    const prefix = `${numbers.join(".")}.`;
    return unsaid.startsWith(prefix) ? unsaid : (known.find((line) => line.startsWith(prefix)) ?? null);
  }
  // Bun takes a range it cannot read for "any". A name that nobody knows, or nvm's `lts/-1`, is no number either.
  if (!/\d/.test(text) || text.startsWith("lts/")) return null;
  // A line's last version stands for all of it: a range that names a line nearly always takes its newest.
  const fits = (line: string) =>
    Bun.semver.satisfies([...line.split("."), "99", "99"].slice(0, 3).join("."), text);
  const inside = fits(unsaid) ? unsaid : known.find(fits);
  if (inside !== undefined) return inside;
  const first = /\d+(?:\.\d+)*/.exec(text)?.[0].split(".");
  return first !== undefined && first.length >= parts ? first.slice(0, parts).join(".") : null;
}

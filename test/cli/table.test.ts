import { expect, test } from "bun:test";
import { coloured, paintState } from "../../src/cli/colour.ts";
import { pairs, safe, table } from "../../src/cli/table.ts";

interface Row {
  name: string;
  count: number;
}
const columns = [
  { title: "NAME", cell: (row: Row) => row.name },
  { title: "COUNT", cell: (row: Row) => String(row.count), right: true },
];

test("table aligns columns, numbers to the right, and ends no line with blanks", () => {
  const text = table(columns, [
    { name: "a", count: 1 },
    { name: "longer", count: 1000 },
  ]);
  expect(text).toBe("NAME    COUNT\na           1\nlonger   1000\n");
});

test("table counts wide letters and colours as they are seen", () => {
  const text = table(
    [
      { title: "A", cell: (row: string) => row },
      { title: "B", cell: () => "x" },
    ],
    ["日本", paintState(coloured, "live")],
  );
  const ends = text.split("\n").map((line) => Bun.stringWidth(line));
  expect(ends.slice(0, 3)).toEqual([7, 7, 7]);
});

test("safe keeps our colours and drops whatever else could move a terminal", () => {
  expect(safe("a\nb")).toBe("a b");
  expect(safe("evil\x1b]0;title\x07\x1b[2Jx\r")).toBe("evil]0;title[2Jx");
  expect(safe(coloured("red", "bad"))).toBe("\x1b[31mbad\x1b[0m");
});

test("pairs puts the values in one column", () => {
  expect(
    pairs([
      ["a", "1"],
      ["long", ""],
    ]),
  ).toBe("a     1\nlong\n");
});

export interface Column<Row> {
  title: string;
  cell(row: Row): string;
  /** Numbers stand right. */
  right?: boolean;
}

/**
 * Rows as aligned text, a title line first; two spaces between columns, none at the end of a line. Cells may carry
 * colours: width is counted as seen. Control characters of foreign text (names, commit messages) are dropped.
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => safe(column.cell(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => Bun.stringWidth(line[at]!))));
  return lines
    .map((line) =>
      line
        .map((cell, at) => pad(cell, widths[at]!, columns[at]!.right ?? false))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** `label  value` lines with the values in one column. */
export function pairs(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([label]) => label.length));
  return facts.map(([label, value]) => `${`${label.padEnd(width)}  ${safe(value)}`.trimEnd()}\n`).join("");
}

/** Foreign text on one line of a terminal: no control characters but our own colours. */
export function safe(text: string): string {
  return safeLines(text.replace(/\r?\n/g, " "));
}

/** The same for several lines. */
export function safeLines(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/(?!\x1b\[\d{1,2}m)[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "");
}

/** What an app prints, on a terminal: its colours and tabs stay, whatever else could move the terminal goes. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  return text.replace(/(?!\x1b\[[\d;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
}

function pad(cell: string, width: number, right: boolean): string {
  const space = " ".repeat(width - Bun.stringWidth(cell));
  return right ? space + cell : cell + space;
}

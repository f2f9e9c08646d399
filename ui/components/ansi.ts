import { escapeHtml } from "@kitajs/html";

/** Select Graphic Rendition, ECMA-48 §8.3.117. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this is about
const sgr = /\x1b\[([0-9;:]*)m/g;
/** Control characters that mean nothing on a page. Tab stays. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: so are they
const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

interface Pen {
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  foreground: number | null;
  background: number | null;
}

const plain: Pen = {
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  foreground: null,
  background: null,
};

/**
 * One line of a program's output as HTML: colours become classes (`f1` = red text, `b4` = blue ground), any other
 * escape sequence is dropped, everything else is escaped. Of a line redrawn by carriage returns the last state stays.
 */
export function ansiLine(line: string): string {
  const text = lastDrawn(line);
  if (!text.includes("\x1b")) return escapeHtml(text.replace(control, ""));
  let pen = plain;
  let html = "";
  let from = 0;
  for (const match of text.matchAll(sgr)) {
    html += drawn(text.slice(from, match.index), pen);
    pen = apply(pen, match[1] ?? "");
    from = match.index + match[0].length;
  }
  return html + drawn(text.slice(from), pen);
}

function lastDrawn(line: string): string {
  const trimmed = line.replace(/[\r\n]+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("\r") + 1);
}

function drawn(text: string, pen: Pen): string {
  const clean = escapeHtml(Bun.stripANSI(text).replace(control, ""));
  const classes = classesOf(pen);
  return clean === "" || classes === "" ? clean : `<span class="${classes}">${clean}</span>`;
}

function classesOf(pen: Pen): string {
  const classes: string[] = [];
  if (pen.bold) classes.push("ab");
  if (pen.dim) classes.push("ad");
  if (pen.italic) classes.push("ai");
  if (pen.underline) classes.push("au");
  if (pen.foreground !== null) classes.push(`f${pen.foreground}`);
  if (pen.background !== null) classes.push(`b${pen.background}`);
  return classes.join(" ");
}

function apply(pen: Pen, parameters: string): Pen {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = pen;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code !== 38 && code !== 48) {
      next = applyCode(next, code);
      continue;
    }
    const wide = codes[i + 1] === 5 ? indexed(codes[i + 2] ?? 0) : trueColour(codes.slice(i + 2, i + 5));
    next = { ...next, [code === 38 ? "foreground" : "background"]: wide };
    i += codes[i + 1] === 5 ? 2 : 4;
  }
  return next;
}

function applyCode(pen: Pen, code: number): Pen {
  if (code === 0) return plain;
  if (code === 1) return { ...pen, bold: true };
  if (code === 2) return { ...pen, dim: true };
  if (code === 3) return { ...pen, italic: true };
  if (code === 4) return { ...pen, underline: true };
  if (code === 22) return { ...pen, bold: false, dim: false };
  if (code === 23) return { ...pen, italic: false };
  if (code === 24) return { ...pen, underline: false };
  if (code >= 30 && code <= 37) return { ...pen, foreground: code - 30 };
  if (code === 39) return { ...pen, foreground: null };
  if (code >= 40 && code <= 47) return { ...pen, background: code - 40 };
  if (code === 49) return { ...pen, background: null };
  if (code >= 90 && code <= 97) return { ...pen, foreground: code - 82 };
  if (code >= 100 && code <= 107) return { ...pen, background: code - 92 };
  return pen;
}

/** The 256-colour table folded onto our sixteen: 6 × 6 × 6 cube from 16, greys from 232. */
function indexed(index: number): number {
  if (index < 16) return index;
  if (index >= 232) return index < 244 ? 8 : 7;
  const cube = index - 16;
  return trueColour([Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51]);
}

function trueColour([red = 0, green = 0, blue = 0]: number[]): number {
  const bits = (red > 95 ? 1 : 0) + (green > 95 ? 2 : 0) + (blue > 95 ? 4 : 0);
  const bright = Math.max(red, green, blue) > 200 ? 8 : 0;
  return bits === 0 ? 8 : bits + bright;
}

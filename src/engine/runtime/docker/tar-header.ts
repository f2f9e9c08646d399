const BLOCK_BYTES = 512;
/** Largest size the eleven octal digits of a ustar header hold. */
const USTAR_SIZE_LIMIT = 8 ** 11;

export interface TarEntry {
  /** Relative, `/`-separated; directories end in `/`. */
  path: string;
  type: "file" | "directory" | "symlink";
  mode: number;
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  linkname?: string;
}

const TYPE_FLAG = { file: "0", symlink: "2", directory: "5" } as const;

/** Header blocks of one entry: ustar, preceded by a pax header for what ustar cannot say (POSIX.1-2001, pax). */
export function tarHeader(entry: TarEntry): Uint8Array {
  const records: string[] = [];
  if (!fits(entry.path, 100)) records.push(paxRecord("path", entry.path));
  if (entry.linkname !== undefined && !fits(entry.linkname, 100))
    records.push(paxRecord("linkpath", entry.linkname));
  if (entry.size >= USTAR_SIZE_LIMIT) records.push(paxRecord("size", String(entry.size)));
  const header = block(entry, TYPE_FLAG[entry.type]);
  if (records.length === 0) return header;
  const body = Buffer.from(records.join(""));
  const extension: TarEntry = {
    path: "pax",
    type: "file",
    mode: 0o644,
    size: body.length,
    mtime: entry.mtime,
  };
  return Buffer.concat([block(extension, "x"), body, tarPadding(body.length), header]);
}

/** Zeros that fill a body of this size up to whole blocks. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** What ends an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}

function block(entry: TarEntry, flag: string): Uint8Array {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.write(entry.path, 0, 100);
  bytes.write(octal(entry.mode & 0o7777, 7), 100);
  // Owner and group are root's, as `docker build` sends them: the image must not depend on who built it.
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  bytes.write(octal(entry.size < USTAR_SIZE_LIMIT ? entry.size : 0, 11), 124);
  bytes.write(octal(Math.max(0, Math.floor(entry.mtime)), 11), 136);
  bytes.write(" ".repeat(8), 148);
  bytes.write(flag, 156);
  bytes.write(entry.linkname ?? "", 157, 100);
  bytes.write("ustar\u000000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 6)}\0 `, 148);
  return bytes;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function fits(text: string, bytes: number): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ustar holds ASCII only
  return text.length <= bytes && /^[\x00-\x7f]*$/.test(text);
}

// "27 path=some/long/name\n": the length counts itself.
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

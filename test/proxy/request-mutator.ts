/** A small, fast, seeded generator: the same seed gives the same run everywhere (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SPECIAL = [
  "\r",
  "\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "0",
  "1",
  "5",
  "a",
  "\x0b",
  "\x7f",
  "\x80",
  "\xff",
  "-",
  "_",
  "+",
  "\r\n",
  "\n\n",
];
const LINES = [
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: +5",
  "Content-Length: 5, 5",
  "Content-Length:5 ",
  "Content-Length : 5",
  " Content-Length: 5",
  "Content_Length: 5",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: Chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunked;q=1",
  "Transfer_Encoding: chunked",
  "Connection: content-length",
  "Connection: transfer-encoding, host",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: upgrade",
  "Upgrade: websocket",
  "Expect: 100-continue",
  "Host: other.test",
  "TE: trailers",
  "Trailer: X-A",
  "X-A: b",
];
const SEEDS = [
  (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\nX-Q: 1\r\n\r\n`,
  (path: string) => `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello`,
  (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  (path: string) =>
    `PUT ${path} HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n`,
  (path: string) => `HEAD ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
  (path: string) => `GET ${path} HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n`,
  (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 39\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n`,
];

/** Some pipelined requests, damaged here and there; the last one, untouched, asks to close. */
export function mutatedRequests(random: () => number): string {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]) => list[below(list.length)]!;
  let text = Array.from({ length: 1 + below(3) }, (_, i) => pick(SEEDS)(`/r${i}`)).join("");
  for (let n = below(4); n > 0; n--) {
    const at = below(text.length);
    const lines = text.split("\r\n");
    const line = below(lines.length);
    switch (below(6)) {
      case 0:
        text = text.slice(0, at) + pick(SPECIAL) + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + 1 + below(3));
        break;
      case 2:
        text = text.slice(0, at) + pick(SPECIAL) + text.slice(at + 1);
        break;
      case 3:
      case 4:
        lines.splice(line, 0, pick(LINES));
        text = lines.join("\r\n");
        break;
      case 5:
        lines.splice(line, 0, lines[below(lines.length)]!);
        text = lines.join("\r\n");
        break;
    }
  }
  return `${text}GET /end HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`;
}

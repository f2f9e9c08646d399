/** Codings of the variants that a static release may have, in the order of preference among equals. */
export const CODINGS = ["identity", "br", "zstd", "gzip"] as const;

/** Index into CODINGS. */
export type Coding = 0 | 1 | 2 | 3;

/** A client's quality by coding; unknown codings are passed over. */
type Qualities = Float64Array;

const REMEMBERED = 512;
/** Below everything that a client can name: for identity, which is acceptable without being named. */
const UNNAMED = 0.0001;
const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** Chooses among the variants of a file by Accept-Encoding (RFC 9110 section 12.5.3), with a bounded memory. */
export class CodingChoice {
  private readonly known = new Map<string, Qualities>();

  /**
   * `sizes` holds the bytes of each variant by Coding, -1 for those there are not. Of the codings liked best the
   * smallest wins. What is acceptable in no form at all is sent as it is.
   */
  choose(accept: string, sizes: ArrayLike<number>): Coding {
    if (accept === "") return 0;
    const qualities = this.read(accept);
    let best = 0;
    for (let coding = 1; coding < CODINGS.length; coding++) {
      const size = sizes[coding]!;
      const quality = qualities[coding]!;
      if (size < 0 || quality <= 0) continue;
      const than = qualities[best]!;
      if (quality > than || (quality === than && size < sizes[best]!)) best = coding;
    }
    return best as Coding;
  }

  private read(accept: string): Qualities {
    let qualities = this.known.get(accept);
    if (qualities === undefined) {
      qualities = parse(accept);
      if (this.known.size >= REMEMBERED) this.known.clear();
      this.known.set(accept, qualities);
    }
    return qualities;
  }
}

function parse(accept: string): Qualities {
  const qualities = new Float64Array(CODINGS.length).fill(Number.NaN);
  let others = Number.NaN;
  for (const element of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = element.split(";").map((part) => part.trim());
    const quality = qualityOf(parameters);
    if (name === "*") others = quality;
    const coding = CODINGS.indexOf((name === "x-gzip" ? "gzip" : name) as (typeof CODINGS)[number]);
    if (coding >= 0) qualities[coding] = quality;
  }
  for (let coding = 0; coding < qualities.length; coding++)
    if (Number.isNaN(qualities[coding])) qualities[coding] = Number.isNaN(others) ? 0 : others;
  if (Number.isNaN(others) && !/(^|[,\s])identity\b/i.test(accept)) qualities[0] = UNNAMED;
  return qualities;
}

function qualityOf(parameters: string[]): number {
  for (const parameter of parameters) {
    const match = QUALITY.exec(parameter);
    if (match !== null) return Number(match[1]);
  }
  // A weight that is none takes the coding away: better plain than what the client may not read.
  return parameters.some((parameter) => parameter.startsWith("q")) ? 0 : 1;
}

/** One thing of a file tree that is to become a site. Paths are relative, `/`-separated, without `.` and `..`. */
export type SiteEntry =
  | { type: "file"; path: string; content: AsyncIterable<Uint8Array> }
  /** `target` as the link spells it; it is followed inside the site only. */
  | { type: "link"; path: string; target: string }
  /** A socket, a device: nothing that can be served. */
  | { type: "other"; path: string };

/** Reads a tree through once and hands over one entry after the other; content that is left unread is skipped. */
export type SiteSource = (take: (entry: SiteEntry) => Promise<void>) => Promise<void>;

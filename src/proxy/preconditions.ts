import type { ConditionalFields } from "./conditional-fields.ts";
import { parseHttpDate } from "./http-date.ts";

export interface Validators {
  /** Strong, with its quotes. */
  etag: string;
  lastModified: string;
  /** The same in milliseconds. */
  modifiedAt: number;
}

/** What conditions make of a GET or HEAD, in the order of RFC 9110 section 13.2.2. */
export function preconditions(
  asked: ConditionalFields,
  { etag, lastModified, modifiedAt }: Validators,
): 200 | 304 | 412 {
  if (asked.ifMatch !== "") {
    if (!listed(asked.ifMatch, etag, true)) return 412;
  } else if (asked.ifUnmodifiedSince !== "") {
    // A date that cannot be read is no condition (section 13.1.4): comparing with NaN is false.
    if (modifiedAt > parseHttpDate(asked.ifUnmodifiedSince)) return 412;
  }
  if (asked.ifNoneMatch !== "") return listed(asked.ifNoneMatch, etag, false) ? 304 : 200;
  if (asked.ifModifiedSince === "") return 200;
  const since = asked.ifModifiedSince;
  return since === lastModified || modifiedAt <= parseHttpDate(since) ? 304 : 200;
}

/** Whether a range may be cut from this variant: the client has a part of just this one (section 13.1.5). */
export function rangeHolds(ifRange: string, { etag, lastModified }: Validators): boolean {
  return ifRange === "" || ifRange === etag || ifRange === lastModified;
}

/** Weak tags match only where weak comparison is enough (section 8.8.3.2); ours are strong. */
function listed(list: string, etag: string, strong: boolean): boolean {
  if (list === etag || list === "*") return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === etag || (!strong && tag === `W/${etag}`));
}

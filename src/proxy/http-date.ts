const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 = /^[A-Z][a-z]+day, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/** A point in time (ms) as HTTP writes it, to the second (RFC 9110 section 5.6.7). */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/** Milliseconds since the epoch of a date in any of HTTP's three forms; NaN when it is none. */
export function parseHttpDate(text: string): number {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return utc(fixed[3]!, fixed[2]!, fixed[1]!, fixed.slice(4));
  const old = RFC_850.exec(text);
  if (old !== null) return utc(nearestCentury(Number(old[3])), old[2]!, old[1]!, old.slice(4));
  const c = ASCTIME.exec(text);
  return c === null ? Number.NaN : utc(c[6]!, c[1]!, c[2]!, c.slice(3, 6));
}

/** What is more than 50 years ahead was in the past (RFC 9110 section 5.6.7). */
function nearestCentury(year: number): number {
  const now = new Date().getUTCFullYear();
  const full = now - (now % 100) + year;
  return full > now + 50 ? full - 100 : full;
}

function utc(year: string | number, month: string, day: string, [hour, minute, second]: string[]): number {
  const index = MONTHS.indexOf(month);
  if (index < 0) return Number.NaN;
  return Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second));
}

/** The time of now, written once a second. */
export class HttpClock {
  /** Whole seconds since the epoch that `text` and `bytes` stand for. */
  second = 0;
  text = "";
  bytes: Buffer = Buffer.alloc(0);

  /** Brings all up to date. */
  read(): this {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.text = formatHttpDate(second * 1000);
      this.bytes = Buffer.from(this.text);
    }
    return this;
  }
}

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const QUESTION = 0x3f;

/** token characters (RFC 9110 section 5.6.2). */
export const TOKEN = classOf((c) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(c)) && c < 0x7f);
/** What may stand in a field value or reason phrase: HTAB, SP, visible ASCII, obs-text (RFC 9110 section 5.5). */
export const FIELD_VALUE = classOf((c) => c === TAB || (c >= SP && c !== 0x7f));
/** What may stand in a request target. Visible ASCII without `#`: a fragment is never sent (RFC 9112 section 3.2). */
export const TARGET = classOf((c) => c > SP && c < 0x7f && c !== 0x23);
/** Value of a hexadecimal digit, 255 for anything else. */
export const HEX = Uint8Array.from({ length: 256 }, (_, c) => {
  const value = Number.parseInt(String.fromCharCode(c), 16);
  return Number.isNaN(value) ? 255 : value;
});
/** ASCII lower case, with `_` read as `-`: application servers (CGI, WSGI) cannot tell these two apart. */
export const FOLD = Uint8Array.from({ length: 256 }, (_, c) =>
  c >= 0x41 && c <= 0x5a ? c + 32 : c === 0x5f ? 0x2d : c,
);

function classOf(test: (c: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, c) => (test(c) ? 1 : 0));
}

import { escapeHtml } from "@kitajs/html";

/**
 * A value for an attribute. JSX alone escapes only `"` there, so `&lt;` written by a person would come out as `<`.
 */
export const attribute = (value: string | number | null | undefined): string =>
  escapeHtml(String(value ?? ""));

/** An href for an address that came from outside: anything but http(s) leads nowhere. */
export function safeHref(url: string): string {
  return /^https?:\/\//i.test(url) ? escapeHtml(url) : "#";
}

/** A path of ours with values in it: each is one segment, whatever it holds. */
export function pathTo(strings: TemplateStringsArray, ...segments: (string | number)[]): string {
  return strings.reduce((path, text, i) => path + encodeURIComponent(String(segments[i - 1])) + text);
}

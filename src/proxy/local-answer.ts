import { errorPage, RETRY_AFTER_S } from "./error-page.ts";
import { PROXY_ERROR_STATUS, type ProxyErrorCode, type Route } from "./protocol.ts";

const REASONS: Record<number, string> = {
  200: "OK",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Content Too Large",
  416: "Range Not Satisfiable",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

export interface LocalAnswer {
  code: ProxyErrorCode;
  /** Where the code's own status does not fit (408, 421). */
  status?: number;
  route?: Route;
  /** The client's Accept. */
  accept: string;
  headOnly: boolean;
  close: boolean;
  /** Name of the static release that has no better answer, for a request with the probe's secret. */
  instance?: string;
}

/** What a static release takes. */
export const FILE_METHODS = "GET, HEAD, OPTIONS";

/** The bytes of an answer that the proxy makes itself. 503 says when to come back, 405 what is allowed. */
export function renderLocalAnswer(answer: LocalAnswer): { status: number; bytes: Buffer } {
  const status = answer.status ?? PROXY_ERROR_STATUS[answer.code];
  const { contentType, body } = errorPage(answer.code, status, answer.route, answer.accept);
  const content = Buffer.from(body);
  const head = headOf(status, [
    `Content-Type: ${contentType}`,
    `Content-Length: ${content.length}`,
    "Cache-Control: no-store",
    `X-Diplo-Error: ${answer.code}`,
    ...(status === 503 ? [`Retry-After: ${RETRY_AFTER_S}`] : []),
    ...(status === 405 ? [`Allow: ${FILE_METHODS}`] : []),
    ...(answer.instance !== undefined ? [`X-Diplo-Instance: ${answer.instance}`] : []),
    ...(answer.close ? ["Connection: close"] : []),
  ]);
  return { status, bytes: answer.headOnly ? head : Buffer.concat([head, content]) };
}

/** Status line, date and `fields`, with the empty line after them. */
export function headOf(status: number, fields: string[]): Buffer {
  const first = [statusLine(status), `Date: ${new Date().toUTCString()}`];
  return Buffer.from([...first, ...fields, "\r\n"].join("\r\n"));
}

/** The first line of an answer, without its end. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}`;
}

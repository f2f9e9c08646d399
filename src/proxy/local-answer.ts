import { errorPage, RETRY_AFTER_S } from "./error-page.ts";
import { PROXY_ERROR_STATUS, type ProxyErrorCode, type Route } from "./protocol.ts";

const REASONS: Record<number, string> = {
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  404: "Not Found",
  408: "Request Timeout",
  413: "Content Too Large",
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
}

/** The bytes of an answer that the proxy makes itself. 503 says when to come back. */
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
    ...(answer.close ? ["Connection: close"] : []),
  ]);
  return { status, bytes: answer.headOnly ? head : Buffer.concat([head, content]) };
}

/** Status line, date and `fields`, with the empty line after them. */
export function headOf(status: number, fields: string[]): Buffer {
  const first = [`HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}`, `Date: ${new Date().toUTCString()}`];
  return Buffer.from([...first, ...fields, "\r\n"].join("\r\n"));
}

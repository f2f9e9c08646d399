import { DiploError } from "../errors.ts";

/** JSON bodies (capabilities P7). Uploads are streamed and have limits of their own. */
export const JSON_LIMIT_BYTES = 1024 * 1024;

/**
 * The body as a JSON object; an empty body is {}. Throws `body_too_large` (413), `not_json` (415, 400) and `invalid`
 * (422). No error repeats what was sent.
 */
export async function readJson(
  request: Request,
  limitBytes = JSON_LIMIT_BYTES,
): Promise<Record<string, unknown>> {
  const text = await readText(request, limitBytes);
  if (text.trim() === "") return {};
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(request.headers.get("content-type") ?? ""))
    throw new DiploError("not_json", "body is not declared as JSON", {
      status: 415,
      detail: "The body must be JSON.",
      hint: "Send it with Content-Type: application/json.",
    });
  const value = parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new DiploError("invalid", "body is no JSON object", {
    status: 422,
    detail: "The body must be a JSON object.",
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new DiploError("not_json", "body is no valid JSON", {
      status: 400,
      detail: "The body is no valid JSON.",
    });
  }
}

async function readText(request: Request, limitBytes: number): Promise<string> {
  if (Number(request.headers.get("content-length")) > limitBytes) throw tooLarge(limitBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
    size += piece.value.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(piece.value);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(limitBytes: number): DiploError {
  return new DiploError("body_too_large", `body over ${limitBytes} bytes`, {
    status: 413,
    detail: `The body is larger than ${Math.floor(limitBytes / 1024)} KB.`,
  });
}

export interface ServerEvent {
  id: string | null;
  /** `message` when the stream names none. */
  type: string;
  data: string;
}

/** Events of a text/event-stream body (WHATWG HTML §9.2.6). Ends when the body ends; comments are skipped. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let event: ServerEvent = { id: null, type: "message", data: "" };
  let data: string[] = [];
  for await (const line of readLines(body)) {
    if (line === "") {
      if (data.length > 0) yield { ...event, data: data.join("\n") };
      event = { ...event, type: "message" };
      data = [];
      continue;
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") event.type = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) event.id = value;
  }
}

async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let kept = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      kept += decoder.decode(value, { stream: true });
      // A lone CR at the end may be half of a CRLF.
      const lines = kept.split(/\r\n|\n|\r(?!$)/);
      kept = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

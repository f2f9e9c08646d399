/**
 * The app behind the proxies under test, for what nginx cannot play: `/live/echo` echoes WebSocket messages,
 * `/live/events` is an event stream that all clients share, `/live/upload` takes a body and answers with its size.
 *
 *   bun backend.ts <port>
 */
const EVENT_EVERY_MS = 100;
const EVENT = `data: ${"x".repeat(92)}\n\n`;
const listeners = new Set<ReadableStreamDefaultController>();

setInterval(() => {
  for (const listener of listeners) listener.enqueue(EVENT);
}, EVENT_EVERY_MS);

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  idleTimeout: 0,
  maxRequestBodySize: 1 << 30,
  async fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/live/echo" && server.upgrade(request)) return undefined;
    if (pathname === "/live/events") return eventStream();
    return new Response(String(await sizeOf(request)));
  },
  websocket: { message: (socket, message) => void socket.send(message) },
});

/** Read piece by piece, not kept. */
async function sizeOf(request: Request): Promise<number> {
  const reader = request.body?.getReader();
  let size = 0;
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done) return size;
    size += value.length;
  }
}

function eventStream(): Response {
  let own: ReadableStreamDefaultController;
  const stream = new ReadableStream({
    start(controller) {
      own = controller;
      listeners.add(own);
    },
    cancel: () => void listeners.delete(own),
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

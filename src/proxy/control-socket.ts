import type { Applied, ProxyState, Refusal } from "./protocol.ts";

/** What control can ask of the data plane. */
export interface ProxyControl {
  putRoutes(body: Uint8Array): Promise<Applied | Refusal>;
  putCertificates(body: Uint8Array): Promise<Applied | Refusal>;
  state(): Promise<ProxyState>;
  /** Returns at once; the process ends when it is drained. `successor`: another proxy takes over the addresses. */
  stop(successor: boolean): void;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const REFUSAL_STATUS: Record<Refusal["code"], number> = {
  invalid: 422,
  bind_failed: 422,
  disk: 422,
  stale_generation: 409,
};

/** Serves `proxy.sock` (protocol.ts). Whoever may open the file may speak: its directory and mode are the lock on the door. */
export function serveControlSocket(path: string, control: ProxyControl) {
  return Bun.serve({
    unix: path,
    maxRequestBodySize: MAX_BODY_BYTES,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      switch (`${request.method} ${pathname}`) {
        case "PUT /routes":
          return answer(await control.putRoutes(await request.bytes()));
        case "PUT /certificates":
          return answer(await control.putCertificates(await request.bytes()));
        case "GET /state":
          return Response.json(await control.state());
        case "POST /stop":
          control.stop(searchParams.has("successor"));
          return new Response(null, { status: 202 });
        default:
          return Response.json({ code: "invalid", message: "no such thing here" }, { status: 404 });
      }
    },
    error: () => Response.json({ code: "invalid", message: "internal error" }, { status: 500 }),
  });
}

function answer(result: Applied | Refusal): Response {
  return Response.json(result, { status: "code" in result ? REFUSAL_STATUS[result.code] : 200 });
}

import { paths } from "../config.ts";
import { DiploError } from "../errors.ts";
import type { HandRoute } from "../route.ts";
import { API_ROOT } from "./operation-route.ts";

/** Keeps an archive that comes as a stream. Throws when it is none, or larger than it may be. */
export type ReceiveUpload = (
  body: ReadableStream<Uint8Array>,
  options: { uploads: string; signal: AbortSignal },
) => Promise<{ upload_id: string }>;

/** The directory of `diplo deploy .`, as a tar archive. */
export function uploadRoute(receive: ReceiveUpload): HandRoute {
  return {
    method: "POST",
    path: `${API_ROOT}/uploads`,
    permission: "deploy",
    reason: "a body that is streamed to disk and never held in memory",
    handle: async ({ request, parts }) => {
      if (!request.body) throw new DiploError("upload_empty", "no body", { detail: "The upload is empty." });
      const options = { uploads: paths.uploads(parts.settings.data), signal: request.signal };
      return Response.json(await receive(request.body, options), { status: 201 });
    },
  };
}

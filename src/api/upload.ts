import { DiploError } from "../errors.ts";
import type { Actor } from "../operation.ts";
import type { HandRoute } from "../route.ts";
import { API_ROOT } from "./operation-route.ts";

/** An archive (zip, tar, tar.gz) for an app to be deployed from; the app's first deployment may yet make it. */
export function uploadRoute(): HandRoute {
  return {
    method: "POST",
    path: `${API_ROOT}/apps/:app/uploads`,
    permission: "deploy",
    reason: "takes an archive: a body that is streamed to disk and never held in memory",
    handle: async ({ request, params, parts, actor, ip }) => {
      if (!request.body) throw new DiploError("upload_empty", "no body", { detail: "The upload is empty." });
      const target = params.app ?? "";
      const note = (outcome: "done" | "failed", detail: Record<string, unknown>) =>
        parts.audit.record({ actor: actor as Actor, action: "upload.received", target, detail, outcome, ip });
      try {
        const upload = await parts.uploads.receive(target, request.body, request.signal);
        note("done", { upload_id: upload.upload_id, sha256: upload.sha256, size_bytes: upload.size_bytes });
        return Response.json(upload, { status: 201 });
      } catch (error) {
        note("failed", { error: error instanceof DiploError ? error.code : "internal" });
        throw error;
      }
    },
  };
}

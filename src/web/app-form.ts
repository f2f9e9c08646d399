import type { HandRoute } from "../route.ts";

/** A form of an app's pages, posted to `/apps/:app/<name>`; the operation behind it says what is audited. */
export function appForm(
  name: string,
  permission: HandRoute["permission"],
  handle: HandRoute["handle"],
): HandRoute {
  return {
    method: "POST",
    path: `/apps/:app/${name}`,
    permission,
    reason: `form: ${name}`,
    page: true,
    handle,
  };
}

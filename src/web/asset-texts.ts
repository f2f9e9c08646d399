import htmx from "htmx.org/dist/htmx.min.js" with { type: "text" };
import copy from "../../ui/assets/copy.client.js" with { type: "text" };
import stylesheet from "../../ui/assets/diplo.css" with { type: "text" };
import guard from "../../ui/assets/guard.client.js" with { type: "text" };
import keys from "../../ui/assets/keys.client.js" with { type: "text" };
import log from "../../ui/assets/log.client.js" with { type: "text" };
import setup from "../../ui/assets/setup.client.js" with { type: "text" };
import stream from "../../ui/assets/stream.client.js" with { type: "text" };
import theme from "../../ui/assets/theme.client.js" with { type: "text" };
import themeSwitch from "../../ui/assets/theme-switch.client.js" with { type: "text" };
import time from "../../ui/assets/time.client.js" with { type: "text" };
import toast from "../../ui/assets/toast.client.js" with { type: "text" };
import { favicon } from "../../ui/components/icon.tsx";

export interface AssetText {
  name: string;
  type: string;
  text: string;
}

/**
 * What browsers load, from the executable itself. htmx and everything of ours is one file: two deferred scripts race,
 * and htmx would sometimes see the page before the other is there.
 */
export function assetTexts(): Record<"stylesheet" | "script" | "theme" | "favicon", AssetText> {
  const script = [htmx, toast, guard, copy, themeSwitch, time, keys, log, stream, setup].join("\n;\n");
  return {
    stylesheet: { name: "diplo.css", type: "text/css; charset=utf-8", text: stylesheet },
    script: { name: "diplo.js", type: "text/javascript; charset=utf-8", text: script },
    theme: { name: "theme.js", type: "text/javascript; charset=utf-8", text: theme },
    favicon: { name: "favicon.svg", type: "image/svg+xml", text: favicon },
  };
}

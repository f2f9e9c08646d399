import type { Provider } from "../src/engine/build/provider.ts";
import { nodeProvider } from "./node/provider.ts";
import { staticProvider } from "./static/provider.ts";

/** Asked in this order; the first that finds evidence plans the build. */
export const providers: Provider[] = [nodeProvider, staticProvider];

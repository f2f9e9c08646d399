import type { Provider } from "../src/engine/build/provider.ts";
import { denoProvider } from "./deno/provider.ts";
import { dotnetProvider } from "./dotnet/provider.ts";
import { elixirProvider } from "./elixir/provider.ts";
import { genericProvider } from "./generic/provider.ts";
import { goProvider } from "./go/provider.ts";
import { javaProvider } from "./java/provider.ts";
import { nodeProvider } from "./node/provider.ts";
import { phpProvider } from "./php/provider.ts";
import { pythonProvider } from "./python/provider.ts";
import { rubyProvider } from "./ruby/provider.ts";
import { rustProvider } from "./rust/provider.ts";
import { siteProvider } from "./site/provider.ts";
import { staticProvider } from "./static/provider.ts";

/**
 * Asked in this order; the first that finds evidence plans the build. Frameworks that bring JavaScript along come
 * before Node; generators of sites before the languages they are written in.
 */
export const providers: Provider[] = [
  siteProvider,
  phpProvider,
  javaProvider,
  denoProvider,
  dotnetProvider,
  elixirProvider,
  rubyProvider,
  rustProvider,
  goProvider,
  pythonProvider,
  nodeProvider,
  staticProvider,
  genericProvider,
];

/** Our provider for a buildpack by the name it has in app.json: `heroku/nodejs`, or its repository's. */
const PROVIDERS: [RegExp, string][] = [
  [/(^|[/-])(nodejs|node)$/, "node"],
  [/(^|[/-])python$/, "python"],
  [/(^|[/-])(ruby|rails)$/, "ruby"],
  [/(^|[/-])go$/, "go"],
  [/(^|[/-])(java|gradle|jvm)$/, "java"],
  [/(^|[/-])php$/, "php"],
  [/(^|[/-])rust$/, "rust"],
  [/(^|[/-])elixir$/, "elixir"],
  [/(^|[/-])deno$/, "deno"],
  [/(^|[/-])(dotnet|dotnetcore|net-core)$/, "dotnet"],
  [/(^|[/-])(hugo|jekyll)$/, "site"],
  [/(^|[/-])static$/, "static"],
];

/** The provider's name, or null for a buildpack that we have nothing for. */
export function providerOfBuildpack(buildpack: string): string | null {
  const name = buildpack
    .toLowerCase()
    .replace(/[#?].*$/, "")
    .replace(/\/+$/, "")
    .replace(/\.(git|tgz|tar\.gz)$/, "");
  return PROVIDERS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

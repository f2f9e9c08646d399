import { invalid } from "../../errors.ts";

/** Names that would stand for something else in a host name (capabilities B1). */
const RESERVED = new Set([
  "new",
  "www",
  "api",
  "diplo",
  "import",
  "localhost",
  "github",
  "gitlab",
  "gitea",
  "bitbucket",
]);

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Throws unless the name can be a host name's label (RFC 1123) and is free to use. */
export function checkName(field: string, name: string): void {
  if (!LABEL.test(name))
    throw invalid(
      field,
      `"${name.slice(0, 80)}" is no host name label`,
      "Use a-z, 0-9 and -, at most 63 characters, beginning and ending with a letter or digit.",
    );
  if (RESERVED.has(name)) throw invalid(field, `"${name}" is reserved`, "Choose another name.");
}

/** `blog@staging` → app and environment. */
export function splitRef(ref: string): { app: string; environment: string } {
  const [app = "", environment = "production"] = ref.split("@");
  return { app, environment };
}

/** How commands and people name an environment: `blog`, `blog@staging`. */
export function joinRef(app: string, environment: string): string {
  return environment === "production" ? app : `${app}@${environment}`;
}

/** A name out of a repository's address: its last part, made fit for a host name. */
export function suggestName(address: string): string {
  const last =
    address
      .replace(/[/\\]+$/, "")
      .replace(/\.git$/i, "")
      .split(/[/\\:]/)
      .at(-1) ?? "";
  const label = last
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return label === "" || RESERVED.has(label) ? "app" : label;
}

/** The environment's label in host names: `blog`, `blog-staging`; hashed when it would pass 63 characters. */
export function hostLabel(app: string, environment: string): string {
  const label = environment === "production" ? app : `${app}-${environment}`;
  if (label.length <= 63) return label;
  const hash = new Bun.CryptoHasher("sha256").update(label).digest("hex").slice(0, 8);
  return `${label.slice(0, 54)}-${hash}`;
}

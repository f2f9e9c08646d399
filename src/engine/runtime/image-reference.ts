import { invalid } from "../../errors.ts";

/** An image's name in its parts, after the grammar of the distribution project (reference/regexp.go). */
export interface ImageReference {
  /** Host and port of the registry; `docker.io` when the name tells none. */
  registry: string;
  /** Path inside the registry, `library/…` included. */
  repository: string;
  /** `latest` when the name tells neither tag nor digest. */
  tag: string | null;
  /** `sha256:…` */
  digest: string | null;
}

const DOCKER_HUB = "docker.io";
/** Names under which Docker Hub is also known, in addresses and in what people copied from old configurations. */
const HUB_ALIASES = new Set([
  DOCKER_HUB,
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
]);

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const SERVER = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const NAME_LIMIT = 255;

/** Reads a name as `docker pull` does. Throws `invalid` naming `field`. */
export function parseImage(text: string, field = "image"): ImageReference {
  const refuse = (what: string) =>
    invalid(field, `"${shown(text)}" ${what}`, "Give a name such as ghcr.io/you/app:1.2 or nginx.");
  const [, named = "", digest = null] = /^([^@]*)(?:@(.*))?$/s.exec(text.trim()) ?? [];
  if (digest !== null && !DIGEST.test(digest))
    throw refuse("has a digest that is not sha256: and 64 hex digits");
  const { name, tag } = splitTag(named);
  if (tag !== null && !TAG.test(tag)) throw refuse("has a tag of other than letters, digits, _, . and -");
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(0, slash));
  const hasServer = first === "localhost" || /[.:]/.test(first);
  const server = hasServer ? first : DOCKER_HUB;
  const path = hasServer ? name.slice(slash + 1) : name;
  if (!SERVER.test(server)) throw refuse("names a registry that is no host name");
  if (/[A-Z]/.test(path)) throw refuse("has capital letters; an image's name has none");
  if (!PATH.test(path) || name.length > NAME_LIMIT) throw refuse("is not the name of an image");
  if (/^[0-9a-f]{64}$/.test(path)) throw refuse("is an image's id, which no registry knows");
  const registry = registryOf(server);
  return {
    registry,
    repository: registry === DOCKER_HUB && !path.includes("/") ? `library/${path}` : path,
    tag: tag ?? (digest === null ? "latest" : null),
    digest,
  };
}

/** The short form people know: `nginx:1.27`, `ghcr.io/you/app@sha256:…`. */
export function imageName({ registry, repository, tag, digest }: ImageReference): string {
  const path = registry === DOCKER_HUB ? repository.replace(/^library\//, "") : `${registry}/${repository}`;
  return `${path}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
}

export function sameRepository(a: string, b: string): boolean {
  const [left, right] = [parseImage(a), parseImage(b)];
  return left.registry === right.registry && left.repository === right.repository;
}

/** The name that always means the same bytes. */
export function pinnedName(reference: ImageReference, digest: string): string {
  return imageName({ ...reference, tag: null, digest });
}

/** Host and port alone, as credentials are kept by; every name of Docker Hub is `docker.io`. Throws `invalid`. */
export function parseServer(text: string, field = "server"): string {
  const bare = text.trim().replace(/^https?:\/\//i, "");
  // What `docker login` writes for Docker Hub.
  const server = bare.replace(/^(index\.docker\.io)\/v1\/?$/i, "$1").replace(/\/$/, "");
  if (SERVER.test(server)) return registryOf(server);
  throw invalid(
    field,
    `"${shown(text)}" is not the host name of a registry`,
    "Give the host alone, with a port where there is one: ghcr.io, registry.lan:5000, docker.io.",
  );
}

/** The server as engines name it in credentials. */
export function loginServer(registry: string): string {
  return registry === DOCKER_HUB ? "https://index.docker.io/v1/" : registry;
}

function registryOf(server: string): string {
  const lower = server.toLowerCase();
  return HUB_ALIASES.has(lower) ? DOCKER_HUB : lower;
}

// A colon after the last slash begins a tag; before it, it is a port's.
function splitTag(named: string): { name: string; tag: string | null } {
  const colon = named.lastIndexOf(":");
  if (colon <= named.lastIndexOf("/")) return { name: named, tag: null };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1) };
}

const shown = (text: string): string => text.replace(/\p{C}+/gu, " ").slice(0, 200);

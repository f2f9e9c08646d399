import { isIP } from "node:net";
import { invalid } from "../../errors.ts";
import { sameRepository } from "../runtime/image-reference.ts";
import { isRefName } from "./git-names.ts";
import type { SourceCredential, SourceSpec } from "./source.ts";

export type GitSpec = Extract<SourceSpec, { kind: "git" }>;

const PROTOCOLS = ["https:", "http:", "git:", "ssh:", "file:"];

export interface ParsedRepoUrl {
  spec: GitSpec;
  /** Taken out of the address; it is never stored there. */
  credential: SourceCredential | null;
}

/**
 * A repository's address as people give it: a URL, `git@host:owner/repo`, `host/owner/repo`, an absolute path, or
 * the address of a branch's page on a forge. Throws `invalid` (field `repo_url`); the message never repeats it.
 */
export function parseRepoUrl(text: string): ParsedRepoUrl {
  try {
    return parseAddress(text.trim());
  } catch (error) {
    // decodeURIComponent, of a stray percent sign.
    throw error instanceof URIError ? refused("has a % that is no percent-encoding") : error;
  }
}

function parseAddress(address: string): ParsedRepoUrl {
  if (address === "" || /[\p{Cc}\s]/u.test(address) || address.length > 2000)
    throw refused("is not an address");
  if (address.startsWith("-")) throw refused("must not begin with a dash");
  if (/^[a-z0-9+.-]+::/i.test(address)) throw refused("names a transport that git would run as a program");
  if (address.startsWith("/")) return { spec: specOf(checkPath(address)), credential: null };
  return parseUrl(toUrl(address));
}

/** Whether two sources are the same repository, however they are written; of an image another tag is the same. */
export function sameSource(a: SourceSpec, b: SourceSpec): boolean {
  if (a.kind === "image" && b.kind === "image") return sameRepository(a.image, b.image);
  if (a.kind !== "git" || b.kind !== "git") return a.kind === b.kind;
  return canonical(a.repo_url) === canonical(b.repo_url) && a.subdirectory === b.subdirectory;
}

/** One spelling per repository: for comparison and for naming its cache; not an address to fetch from. */
export function canonical(repo_url: string): string {
  const bare = repo_url
    .replace(/\/+$/, "")
    .replace(/\.git$/i, "")
    .replace(/\/+$/, "");
  if (bare.startsWith("/")) return `file://${bare}`;
  const url = new URL(bare);
  return `${url.protocol}//${url.host}${decodeURI(url.pathname)}`;
}

/**
 * Whom a credential for this address is meant for; null for a path of this machine, which needs none. The WHATWG
 * origin of ssh:// and git:// is "null", which would equal any other: protocol and host instead.
 */
export function originOf(repo_url: string): string | null {
  if (repo_url.startsWith("/")) return null;
  const { protocol, host } = new URL(repo_url);
  return `${protocol}//${host}`;
}

function specOf(repo_url: string): GitSpec {
  return { kind: "git", repo_url, branch: null, tag: null, commit: null, subdirectory: "" };
}

function refused(reason: string): Error {
  return invalid("repo_url", reason, "Give an address such as https://host/owner/repository.");
}

/** scp-like addresses become ssh://, bare hosts https://. */
function toUrl(address: string): URL {
  const scp = /^(?:([A-Za-z0-9_][\w.-]*)@)?([A-Za-z0-9][\w.-]*):(?!\/\/)(?!\d+\/)([^:].*)$/.exec(address);
  const full = address.includes("://")
    ? address
    : scp !== null
      ? `ssh://${scp[1] ?? "git"}@${scp[2]}/${scp[3]!.replace(/^\/+/, "")}`
      : `https://${address}`;
  try {
    return new URL(full);
  } catch {
    throw refused("is not an address");
  }
}

function parseUrl(url: URL): ParsedRepoUrl {
  if (!PROTOCOLS.includes(url.protocol))
    throw refused(`uses ${url.protocol}//, which is not a way to a repository`);
  if (url.protocol === "file:")
    return { spec: specOf(checkPath(decodeURIComponent(url.pathname))), credential: null };
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$|^\[[0-9a-f:.]+\]$/i.test(url.hostname))
    throw refused("has no host name");
  if (url.protocol === "http:" && !isLocal(url.hostname)) {
    throw refused("sends everything unencrypted over http://; use https:// outside your own network");
  }
  const credential = url.protocol === "https:" || url.protocol === "http:" ? credentialOf(url) : null;
  const user = url.protocol === "ssh:" ? checkSshUser(url.username || "git") : "";
  const page = forgePage(url);
  const path = checkUrlPath((page?.repository ?? url.pathname).replace(/\/+$/, ""));
  const spec = specOf(`${url.protocol}//${user}${url.host}${path}`);
  return {
    spec: { ...spec, branch: page?.branch ?? null, subdirectory: page?.subdirectory ?? "" },
    credential,
  };
}

function checkPath(path: string): string {
  if (path.split("/").includes("..")) throw refused("must not contain ..");
  return path.replace(/(.)\/+$/, "$1");
}

function checkUrlPath(path: string): string {
  if (path === "" || path === "/") throw refused("names a host but no repository");
  if (/\p{Cc}/u.test(decodeURIComponent(path)) || path.startsWith("/-")) throw refused("is not an address");
  return path;
}

function checkSshUser(user: string): string {
  if (!/^[A-Za-z0-9_][\w.-]*$/.test(user)) throw refused("has a user name that ssh would misread");
  return `${user}@`;
}

function credentialOf(url: URL): SourceCredential | null {
  if (url.username === "" && url.password === "") return null;
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  if (password === "") return { kind: "token", token: username };
  return { kind: "password", username, password };
}

/** `…/tree/<branch>/<directory>` of GitHub, GitLab (`/-/tree/`) and Gitea (`/src/branch/`). */
function forgePage(url: URL): { repository: string; branch: string; subdirectory: string } | null {
  const match = /^(\/.+?)(?:\/-)?\/(?:tree|blob|src\/branch)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname);
  if (match === null || match[1]!.split("/").length < 3) return null;
  const branch = decodeURIComponent(match[2]!);
  const subdirectory = decodeURIComponent(match[3] ?? "").replace(/\/+$/, "");
  return isRefName(branch) && !subdirectory.split("/").includes("..")
    ? { repository: match[1]!, branch, subdirectory }
    : null;
}

/** Loopback, private and link-local addresses, `.local` and single-label names. */
function isLocal(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (isIP(host) === 4) return /^(127|10)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^169\.254\./.test(host);
  if (isIP(host) === 6) return /^(::1$|f[cd]|fe[89ab])/.test(host);
  return !host.includes(".") || /\.(local|lan|home\.arpa|internal|localhost)$/.test(host);
}

import { invalid } from "../../errors.ts";

/** Full object id: SHA-1 or SHA-256. */
export const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** The rules of git-check-ref-format(1), and no leading dash: it would be read as an option. */
export function isRefName(name: string): boolean {
  if (name === "" || name.length > 250 || /[\p{Cc} ~^:?*[\\]/u.test(name)) return false;
  if (/^[-/]|[/.]$|\.\.|\/\/|@\{/.test(name) || name === "@") return false;
  return name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}

/** Throws `invalid` for the field when the name could not be a branch or tag. */
export function checkRefName(field: "branch" | "tag", name: string): void {
  if (!isRefName(name)) throw invalid(field, `is not a name that git allows for a ${field}`);
}

/** A commit as people write it, at least seven hex digits. Throws `invalid`. */
export function checkCommit(commit: string): void {
  if (!/^[0-9a-f]{7,64}$/i.test(commit))
    throw invalid("commit", "is not a commit id (7 to 64 hexadecimal digits)");
}

/** A directory inside a repository, in one spelling; "" is the root. Throws `invalid`. */
export function checkSubdirectory(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || parts.includes(".git") || /[\p{Cc}\\]/u.test(path)) {
    throw invalid("subdirectory", "must be a directory inside the repository");
  }
  return parts.join("/");
}

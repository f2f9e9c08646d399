import { DiploError, PermanentError } from "../../errors.ts";
import { GitFailure } from "./git.ts";
import { knownHostOf } from "./known-hosts.ts";

/**
 * What a failed git command means for the person. Answers PermanentError where no retry helps, and
 * `repo_unreachable` for trouble on the way (worth retrying). git's own words are evidence; they never hold the credential.
 */
export function explainGit(error: unknown, repo_url: string, hasCredential: boolean): unknown {
  if (!(error instanceof GitFailure)) return error;
  const words = error.stderr;
  const facts = { evidence: words.split("\n").slice(-5), cause: error };
  if (isDiskFull(error)) {
    return new DiploError("disk_full", "git: no space left on device", {
      ...facts,
      detail: "The disk is full, so the repository could not be fetched.",
      hint: "Free some space (old releases, other files) and deploy again.",
    });
  }
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/.test(words)) {
    const shown = /SHA256:[A-Za-z0-9+/]{43}/.exec(words)?.[0] ?? "another one";
    const host = knownHostOf(repo_url) ?? "";
    return new PermanentError("host_key_changed", `${host} shows the host key ${shown}, not the pinned one`, {
      ...facts,
      detail: `${host} shows another host key than the pinned one: ${shown}. Somebody may be listening in.`,
      hint: `If this is the server's new key (its owner can tell you), accept it: diplo ssh-hosts:forget '${host}', then deploy again.`,
    });
  }
  if (isMissing(words)) {
    return new PermanentError("repo_not_found", `no repository at ${repo_url}`, {
      ...facts,
      detail: `There is no repository at ${repo_url}, or it is private.`,
      hint: hasCredential
        ? "Check the address, and what the token may see."
        : "Check the address; for a private repository give a token.",
    });
  }
  if (isRefusal(words)) {
    return new PermanentError("auth_failed", `${repo_url} refused the credentials`, {
      ...facts,
      detail: hasCredential
        ? `${repo_url} refused the credentials it was given.`
        : `${repo_url} asks for credentials: the repository is private or does not exist.`,
      hint: hasCredential
        ? "Check that the token is valid and may read this repository."
        : "Give a token that may read it.",
    });
  }
  return new DiploError("repo_unreachable", `git could not fetch ${repo_url}: ${error.message}`, {
    ...facts,
    detail: `${repo_url} could not be reached.`,
    hint: "Check the address and this box's network, then deploy again.",
  });
}

/** Whether git ran out of disk, where what it leaves half written matters. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof GitFailure && /No space left on device|Disk quota exceeded/i.test(error.stderr);
}

/** Whether the repository answered but has no such branch, tag or commit. */
export function isMissingRef(error: unknown): boolean {
  return (
    error instanceof GitFailure &&
    /couldn't find remote ref|not our ref|no such remote ref|Server does not allow request for unadvertised/i.test(
      error.stderr,
    )
  );
}

/** Whether the cache itself is broken (a crash in the middle of writing): it is thrown away then. */
export function isDamagedCache(error: unknown): boolean {
  return (
    error instanceof GitFailure &&
    /\.lock': File exists|object file .* is empty|loose object .* is corrupt|bad object|unable to read tree|pack has bad object|inflate: data stream error|did not send all necessary objects|not a git repository: '|shallow file has changed|index-pack (abnormal exit|failed)|error in object|missing (blob|tree|commit)|unresolved deltas/i.test(
      error.stderr,
    )
  );
}

function isMissing(words: string): boolean {
  return /repository ['"]?.*['"]? not found|Repository not found|does not appear to be a git repository|repository not exported|returned error: 404|project you were looking for could not be found|does not exist/i.test(
    words,
  );
}

function isRefusal(words: string): boolean {
  return /Authentication failed|could not read (Username|Password)|returned error: 40[13]|Permission denied|Invalid username or/i.test(
    words,
  );
}

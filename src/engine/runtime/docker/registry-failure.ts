import { DiploError, PermanentError } from "../../../errors.ts";
import { imageName, parseImage } from "../image-reference.ts";
import { DISK_FULL, diskFull } from "./engine-error.ts";

export const UNAUTHORISED =
  /no basic auth credentials|unauthorized|authentication required|incorrect username or password|status: 40[13]|(^|\W)denied(: |$)|insufficient_scope/i;
const MISSING =
  /manifest (for \S+ )?(unknown|not found)|name unknown|repository (name not known|does not exist)|\bnot found\b|no match for platform|no matching manifest/i;
const PLAIN_HTTP = /server gave HTTP response to HTTPS client/i;
const UNKNOWN_SIGNER = /x509: |certificate signed by unknown authority/i;
const BUSY = /toomanyrequests|too many requests|rate limit/i;

/**
 * Why a registry did not give what it was asked for, from the words that the engine repeats. Permanent
 * `image_not_found`, `auth_failed`, `disk_full`; anything else is the registry's or the network's fault and worth
 * another try: `registry_unreachable`.
 */
export function registryFailure(image: string, words: string, hasCredential: boolean): DiploError {
  const { registry } = parseImage(image);
  if (DISK_FULL.test(words)) return diskFull(words);
  if (BUSY.test(words)) return unreachable(registry, words, `${registry} asks to slow down.`, CALM);
  // Docker Hub says both of an image that does not exist: "pull access denied … repository does not exist or may …".
  if (/repository does not exist or may require/i.test(words)) return missing(image, words, hasCredential);
  if (UNAUTHORISED.test(words)) return refused(image, registry, words, hasCredential);
  if (MISSING.test(words)) return missing(image, words, hasCredential);
  if (PLAIN_HTTP.test(words))
    return permanentlyUnreachable(registry, words, `${registry} speaks plain http, not https.`);
  if (UNKNOWN_SIGNER.test(words))
    return permanentlyUnreachable(
      registry,
      words,
      `The certificate of ${registry} is not one that is trusted.`,
    );
  return unreachable(registry, words, `The registry ${registry} does not answer.`, AWAY);
}

const AWAY = "Check its name, and this box's connection and DNS.";
const CALM = "Wait a while, or sign in there: signed-in users may ask more often.";

/** Credentials that the registry does not take, without an image being asked for. */
export function signInRefused(server: string, words: string): DiploError {
  if (!UNAUTHORISED.test(words)) return registryFailure(`${server}/sign/in`, words, true);
  return new PermanentError("auth_failed", `${server} refused the credentials: ${words}`, {
    detail: `${server} refused this user name and password.`,
    hint: "Many registries take an access token in place of the password.",
    evidence: [words],
  });
}

export function unanswered(image: string): DiploError {
  const { registry } = parseImage(image);
  return unreachable(registry, "no answer in time", `The registry ${registry} does not answer.`, AWAY);
}

function refused(image: string, registry: string, words: string, hasCredential: boolean): PermanentError {
  return new PermanentError("auth_failed", `${registry} gives ${image} to nobody like us: ${words}`, {
    detail: hasCredential
      ? `${registry} refused the credentials it was given for ${image}.`
      : `${registry} asks for credentials: ${image} is private, or does not exist.`,
    hint: hasCredential
      ? `Check them: diplo registries:test ${registry}`
      : `Let the box sign in there: diplo registries:add ${registry} USER --password -`,
    evidence: [words],
  });
}

function missing(image: string, words: string, hasCredential: boolean): PermanentError {
  const reference = parseImage(image);
  const what = reference.digest === null ? `tag ${reference.tag}` : "digest";
  const private_ = hasCredential
    ? ""
    : ` If it is private, let the box sign in: diplo registries:add ${reference.registry} USER --password -`;
  return new PermanentError("image_not_found", `no image ${imageName(reference)}: ${words}`, {
    detail: `There is no image ${imageName(reference)} at ${reference.registry}.`,
    hint: `Look for a typing error in its name and ${what}.${private_}`,
    evidence: [words],
  });
}

function unreachable(registry: string, words: string, detail: string, hint: string): DiploError {
  return new DiploError("registry_unreachable", `${registry}: ${words}`, {
    status: 502,
    detail,
    hint,
    evidence: [words],
  });
}

// Trying again changes nothing: somebody has to tell the engine.
function permanentlyUnreachable(registry: string, words: string, detail: string): PermanentError {
  return new PermanentError("registry_unreachable", `${registry}: ${words}`, {
    detail,
    hint:
      `Give it a certificate the engine trusts (/etc/docker/certs.d/${registry}/ca.crt), or list it under ` +
      "insecure-registries in /etc/docker/daemon.json when it stands in your own network.",
    evidence: [words],
  });
}

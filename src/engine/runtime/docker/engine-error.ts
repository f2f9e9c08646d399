import { DiploError, PermanentError, terse } from "../../../errors.ts";

/** The engine understood and said no (or failed itself). `words` are its own, for matching and for evidence. */
export class EngineRefusal extends DiploError {
  override name = "EngineRefusal";

  constructor(
    what: string,
    readonly engineStatus: number,
    readonly words: string,
    cause?: unknown,
  ) {
    super("engine_refused", `${what}: ${words}`, {
      status: 502,
      detail: `The container engine refused: ${words}`,
      evidence: [words],
      cause,
    });
  }
}

/** The engine is away, hangs, or hung up in the middle of an answer. Worth retrying. */
export function engineDown(what: string, cause: unknown): DiploError {
  return new DiploError("engine_down", `${what}: ${terse(cause)}`, {
    status: 503,
    detail: "The container engine does not answer.",
    hint: "See whether it runs: systemctl status docker",
    cause,
  });
}

export function diskFull(words: string): PermanentError {
  return new PermanentError("disk_full", `no space left on device: ${words}`, {
    detail: "The disk is full.",
    hint: "Free some space, for instance by destroying apps or removing images, then deploy again.",
    evidence: [words],
  });
}

export const DISK_FULL = /no space left on device|ENOSPC/i;

/** dockerode rejects with `{statusCode, reason, json}`; anything without a status never got an answer. */
export function engineError(what: string, error: unknown): DiploError {
  if (error instanceof DiploError) return error;
  const answer = error as { statusCode?: unknown; json?: unknown };
  if (typeof answer?.statusCode !== "number") return engineDown(what, error);
  const words = wordsOf(answer.json) ?? wordsOfMessage(terse(error));
  if (DISK_FULL.test(words)) return diskFull(words);
  return new EngineRefusal(what, answer.statusCode, words, error);
}

/** True when the engine answered with this status. */
export function refusedWith(error: unknown, status: number): error is EngineRefusal {
  return error instanceof EngineRefusal && error.engineStatus === status;
}

function wordsOf(json: unknown): string | null {
  const message = (json as { message?: unknown } | null)?.message;
  return typeof message === "string" && message ? message.trim() : null;
}

// Streamed calls carry the text only inside "(HTTP code 404) no such container - the words ".
function wordsOfMessage(message: string): string {
  return message.replace(/^\(HTTP code \d+\) .*? - /, "").trim();
}

import { conflict, type DiploError, PermanentError } from "../../../errors.ts";
import { EngineRefusal } from "./engine-error.ts";
import type { CommonSpec } from "./instance-body.ts";

type Started = Pick<CommonSpec, "image" | "command">;

// Docker, then Podman.
const ADDRESS_TAKEN = /address already in use|ip address .* is already allocated/i;
const NO_COMMAND = /no command specified/i;
// runc: `exec: "./server": stat ./server: no such file or directory`; crun: "executable file `./server` not found".
const CANNOT_EXECUTE =
  /exec: ".*(no such file or directory|not found|permission denied|is a directory)|executable file .* not found|exec format error/i;

/** Explains why the engine would not create or start a container. Anything it does not know stays as it was. */
export function startRefusal(error: unknown, spec: Started | null): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  const { words, engineStatus } = error;
  if (engineStatus === 404 && /no such image/i.test(words)) return imageMissing(error, spec);
  if (NO_COMMAND.test(words)) return noCommand(error, "The image has no start command, and none was given.");
  if (ADDRESS_TAKEN.test(words) && !/bind|listen tcp/i.test(words))
    return conflict("address_taken", `another container has the address: ${words}`);
  if (/init binary/.test(words)) return noInit(error);
  if (CANNOT_EXECUTE.test(words))
    return noCommand(error, `The start command${commandOf(spec)} cannot be run in this image.`);
  return error;
}

function imageMissing(error: EngineRefusal, spec: Started | null): DiploError {
  return new PermanentError("image_not_found", error.message, {
    detail: `The engine does not have the image${spec ? ` ${spec.image}` : ""}.`,
    hint: "Deploy again to build it.",
    evidence: [error.words],
    cause: error,
  });
}

function noInit(error: EngineRefusal): DiploError {
  return new PermanentError("runtime_unavailable", error.message, {
    detail: "The container engine lacks its init program.",
    hint: "Install it: apt-get install catatonit (Podman) or docker-init (Docker).",
    evidence: [error.words],
    cause: error,
  });
}

function noCommand(error: EngineRefusal, detail: string): DiploError {
  return new PermanentError("no_start_command", error.message, {
    detail,
    hint: "Give one: a `web:` line in a Procfile, a `start` script, or CMD in the Dockerfile.",
    evidence: [error.words],
    cause: error,
  });
}

// Only the program: arguments may carry values that are nobody's business.
function commandOf(spec: Started | null): string {
  return spec?.command?.[0] ? ` "${spec.command[0]}"` : "";
}

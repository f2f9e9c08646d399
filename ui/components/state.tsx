import { Icon } from "./icon.tsx";

/** The five states of the dashboard. Each has a colour, a shape and a word; colour alone says nothing. */
export type StateKind = "live" | "working" | "waiting" | "failed" | "stopped";

export interface StateWord {
  kind: StateKind;
  /** What precisely it is, e.g. `degraded`. */
  word: string;
}

export function State({ kind, word }: StateWord) {
  return (
    <span class={`state ${kind}`}>
      <Icon name={kind} />
      <span safe>{word}</span>
    </span>
  );
}

const appStates: Record<string, StateWord> = {
  idle: { kind: "waiting", word: "never deployed" },
  deploying: { kind: "working", word: "deploying" },
  redeploying: { kind: "working", word: "deploying" },
  running: { kind: "live", word: "live" },
  degraded: { kind: "failed", word: "degraded" },
  sleeping: { kind: "waiting", word: "asleep" },
  stopped: { kind: "stopped", word: "stopped" },
  error: { kind: "failed", word: "failed" },
  destroying: { kind: "working", word: "being removed" },
};

const deploymentStates: Record<string, StateWord> = {
  queued: { kind: "waiting", word: "queued" },
  building: { kind: "working", word: "building" },
  deploying: { kind: "working", word: "deploying" },
  success: { kind: "live", word: "live" },
  failed: { kind: "failed", word: "failed" },
  cancelled: { kind: "stopped", word: "cancelled" },
  superseded: { kind: "stopped", word: "superseded" },
};

const instanceStates: Record<string, StateWord> = {
  starting: { kind: "working", word: "starting" },
  running: { kind: "live", word: "running" },
  unhealthy: { kind: "failed", word: "unhealthy" },
  stopping: { kind: "waiting", word: "draining" },
  sleeping: { kind: "waiting", word: "asleep" },
  stopped: { kind: "stopped", word: "stopped" },
  crashed: { kind: "failed", word: "crashed" },
};

const jobStates: Record<string, StateWord> = {
  queued: { kind: "waiting", word: "queued" },
  running: { kind: "working", word: "running" },
  succeeded: { kind: "live", word: "done" },
  failed: { kind: "failed", word: "failed" },
  cancelled: { kind: "stopped", word: "cancelled" },
  superseded: { kind: "stopped", word: "superseded" },
};

const checkStates: Record<string, StateWord> = {
  ok: { kind: "live", word: "ok" },
  warning: { kind: "waiting", word: "warning" },
  fault: { kind: "failed", word: "fault" },
};

/** A status this page has not heard of is shown as it is rather than hidden. */
const known = (table: Record<string, StateWord>) => (status: string) =>
  table[status] ?? ({ kind: "waiting", word: status } satisfies StateWord);

export const appState = known(appStates);
export const deploymentState = known(deploymentStates);
export const instanceState = known(instanceStates);
export const jobState = known(jobStates);
export const checkState = known(checkStates);

import type { Instance } from "../../product/instances/instance.ts";
import type { Release } from "../../product/releases/release.ts";
import { paintState } from "../colour.ts";
import { ago, shortCommit } from "../readable.ts";
import { table } from "../table.ts";
import type { View } from "./view-facts.ts";

export const releaseList: View<Release[]> = (releases, { paint, now }) => {
  if (releases.length === 0) return "No releases yet. Make one: diplo deploy <git-url|dir>\n";
  return table<Release>(
    [
      { title: "RELEASE", cell: ({ version }) => `v${version}` },
      { title: "STATE", cell: ({ status }) => paintState(paint, status) },
      { title: "COMMIT", cell: ({ commit }) => shortCommit(commit) },
      { title: "MADE", cell: ({ created_at }) => ago(created_at, now) },
      { title: "BY", cell: ({ created_by }) => created_by },
      {
        title: "WHAT",
        cell: ({ from_release, commit_message, image }) =>
          from_release === null ? (commit_message ?? shortImage(image) ?? "-") : `as v${from_release}`,
      },
    ],
    releases,
  );
};

/** Enough of a digest to tell two apart. */
const shortImage = (image: string | null): string | null =>
  image?.replace(/(@sha256:.{12}).*$/, "$1") ?? null;

export const instanceList: View<Instance[]> = (instances, { paint, now }) => {
  if (instances.length === 0) return "No instances.\n";
  return table<Instance>(
    [
      { title: "PROCESS", cell: ({ process, slot }) => `${process}.${slot}` },
      { title: "STATE", cell: ({ status }) => paintState(paint, status) },
      { title: "RELEASE", cell: ({ release }) => `v${release}` },
      { title: "TRAFFIC", cell: ({ routed }) => (routed ? "yes" : "no") },
      { title: "SERVED BY", cell: servedBy },
      { title: "SINCE", cell: ({ created_at }) => ago(created_at, now) },
      { title: "RESTARTS", cell: ({ restarts }) => String(restarts), right: true },
      { title: "LAST EXIT", cell: ({ last_exit }) => lastExit(last_exit) },
    ],
    instances,
  );
};

function lastExit(exit: Instance["last_exit"]): string {
  if (!exit) return "-";
  return exit.oom_killed ? "out of memory" : `code ${exit.exit_code}`;
}

function servedBy({ served_by }: Instance): string {
  return served_by === "proxy" ? "the proxy, no container" : "a container";
}

interface Process {
  process: string;
  served_by: "container" | "proxy";
  quantity: number;
  command: string[] | null;
  from: string;
}

export const formation: View<Process[]> = (processes) => {
  if (processes.length === 0) return "No processes yet.\n";
  return table(
    [
      { title: "PROCESS", cell: ({ process }) => process },
      { title: "WANTED", cell: ({ quantity }) => String(quantity), right: true },
      {
        title: "COMMAND",
        cell: ({ command, served_by }) =>
          served_by === "proxy" ? "none: the proxy serves files" : (command?.join(" ") ?? "the image's own"),
      },
      { title: "FROM", cell: ({ from }) => from },
    ],
    processes,
  );
};

export const scaled: View<{ formation: Process[] }> = (body, facts) => formation(body.formation, facts);

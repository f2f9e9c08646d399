import type { Release } from "../product/releases/release.ts";

/** What a release changed against the one before, in a few words each. */
export function releaseDifferences(before: Release | null, release: Release): string[] {
  if (before === null) return ["first release"];
  const differences: string[] = [];
  if (release.from_release !== null) differences.push(`as v${release.from_release}`);
  if (before.commit !== release.commit && release.commit !== null) {
    differences.push(`commit ${short(before.commit)} → ${short(release.commit)}`);
  }
  if (before.provider !== release.provider) differences.push(`built by ${release.provider}`);
  const config = changedNames(before.config, release.config);
  if (config.length > 0) differences.push(`config ${config.join(", ")}`);
  const processes = changedNames(commands(before), commands(release));
  if (processes.length > 0) differences.push(`commands of ${processes.join(", ")}`);
  if (differences.length === 0 && before.image_id !== release.image_id) differences.push("rebuilt");
  return differences;
}

const short = (commit: string | null): string => commit?.slice(0, 7) ?? "none";

const commands = ({ processes }: Release): Record<string, string> =>
  Object.fromEntries(Object.entries(processes).map(([name, { command }]) => [name, JSON.stringify(command)]));

function changedNames<Value>(before: Record<string, Value>, after: Record<string, Value>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]).sort();
}

import { operations } from "../product/operations.ts";
import { operationVerb } from "./operation-verb.ts";
import type { Verb } from "./verb.ts";
import { build } from "./verbs/build.ts";
import { configImport, configSet, configUnset } from "./verbs/config.ts";
import { deploy } from "./verbs/deploy.ts";
import { destroyBox } from "./verbs/destroy-box.ts";
import { doctor } from "./verbs/doctor.ts";
import { login, logout } from "./verbs/login.ts";
import { logs } from "./verbs/logs.ts";
import { proxy, serve, version } from "./verbs/own-process.ts";
import { run } from "./verbs/run.ts";

/** Verbs that are more than one question and one answer. One that bears an operation's name stands for it. */
const byHand: readonly Verb[] = [
  serve,
  proxy,
  deploy,
  logs,
  run,
  configSet,
  configUnset,
  configImport,
  build,
  doctor,
  login,
  logout,
  destroyBox,
  version,
];

/** Everything the command line can do. */
export function allVerbs(): Verb[] {
  const taken = new Set(byHand.map((verb) => verb.name));
  return [...byHand, ...operations.filter(({ verb }) => !taken.has(verb)).map(operationVerb)].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

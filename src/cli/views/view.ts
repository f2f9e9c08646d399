import type { AppPlan } from "../../product/releases/app-plan.ts";
import type { CliContext } from "../cli-context.ts";
import { safeLines } from "../table.ts";
import { appInfo, appList, health } from "./app-views.ts";
import { configChanged, configList, configValue } from "./config-views.ts";
import { deploymentInfo, deploymentList, jobList } from "./deployment-views.ts";
import { plainView } from "./plain-view.ts";
import { registryAnswers, registryKept, registryList } from "./registry-views.ts";
import { formation, instanceList, releaseList, scaled } from "./release-views.ts";
import { requestList } from "./request-views.ts";
import {
  destroyed,
  domainList,
  loginLink,
  tokenList,
  tokenMade,
  volumeAdded,
  volumeList,
} from "./small-views.ts";
import { credentialList, deployKey, deploymentStarted, sshHostList } from "./source-views.ts";
import { doctorReport, runtimeList, systemStats } from "./system-views.ts";
import type { View } from "./view-facts.ts";

// biome-ignore lint/suspicious/noExplicitAny: each view declares the shape of its own operation's answer
const VIEWS: Record<string, View<any>> = {
  apps: appList,
  "apps:info": appInfo,
  "apps:create": appInfo,
  "apps:set": appInfo,
  "apps:health": health,
  "apps:destroy": destroyed,
  "apps:deployments": deploymentList,
  deployments: deploymentList,
  "deployments:info": deploymentInfo,
  "deploy:cancel": deploymentInfo,
  "deploy:again": deploymentStarted,
  credentials: credentialList,
  "ssh-hosts": sshHostList,
  "deploy-key": deployKey,
  "deploy-key:create": deployKey,
  "deploy:retry": () => "",
  rollback: () => "",
  releases: releaseList,
  plan: ({ text }: AppPlan) => `${text.trimEnd()}\n`,
  ps: instanceList,
  "ps:formation": formation,
  "ps:scale": scaled,
  "ps:restart": () => "",
  "ps:stop": () => "",
  "ps:start": () => "",
  config: configList,
  "config:get": configValue,
  "config:set": configChanged,
  "config:unset": configChanged,
  "config:import": configChanged,
  storage: volumeList,
  "storage:add": volumeAdded,
  "storage:remove": () => "",
  domains: domainList,
  requests: requestList,
  jobs: jobList,
  registries: registryList,
  "registries:add": registryKept,
  "registries:remove": () => "",
  "registries:test": registryAnswers,
  tokens: tokenList,
  "tokens:create": tokenMade,
  "login-link": loginLink,
  "system:stats": systemStats,
  runtimes: runtimeList,
  doctor: doctorReport,
};

/** An operation's answer as text for people; operations without a view of their own get a plain one. */
export function view(verb: string, answer: unknown, { paint, io }: CliContext): string {
  const text = (VIEWS[verb] ?? plainView)(answer, { paint, now: io.now() });
  // Names, messages and paths are a stranger's: none of them may move a terminal. A config value alone is as it is.
  return verb === "config:get" ? text : safeLines(text);
}

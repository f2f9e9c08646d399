import type { Config } from "../../config.ts";
import { DiploError } from "../../errors.ts";
import { createLog } from "../../log.ts";
import type { DoctorCheck } from "../../product/doctor/check.ts";
import type { CliContext } from "../cli-context.ts";
import { COMMON } from "../flags.ts";
import type { Verb } from "../verb.ts";
import { view } from "../views/view.ts";

interface Report {
  status: DoctorCheck["status"];
  checks: DoctorCheck[];
}

const EXITS = { ok: 0, warning: 1, fault: 2 } as const;

export const doctor: Verb = {
  name: "doctor",
  summary: "Engine, limits, ports, disk, clock, firewall: what is wrong and what to do",
  usage: "",
  notes:
    "While Diplo is not running, this machine is examined without it.\nExit code: 0 all is well, 1 warnings, 2 faults.",
  flags: COMMON,
  run: async (_given, context) => {
    const report = await examined(context);
    if (context.json) context.printJson(report);
    else context.io.out(view("doctor", report, context));
    return EXITS[report.status];
  },
};

async function examined(context: CliContext): Promise<Report> {
  try {
    return await context.box.json<Report>({ method: "GET", path: "/doctor" });
  } catch (error) {
    if (!(error instanceof DiploError) || !/^box_not_(found|running)$/.test(error.code)) throw error;
    return withoutBox(context.config, error);
  }
}

/** Looks at the machine from here, where the box that should do it does not run. */
async function withoutBox(settings: Config, error: DiploError): Promise<Report> {
  const [{ examine }, { machineChecks }, { readClocks }, { detectRuntimes }] = await Promise.all([
    import("../../product/doctor/examine.ts"),
    import("../../product/doctor/machine-checks.ts"),
    import("../../product/doctor/clock-check.ts"),
    import("../../engine/runtime/detect.ts"),
  ]);
  const log = createLog("error");
  const checks = machineChecks({
    settings,
    detect: () => detectRuntimes({ dockerHost: settings.dockerHost, log }),
    engineSubnets: async () => [],
    startedAt: readClocks(),
  });
  const running: DoctorCheck = {
    name: "diplo",
    status: "fault",
    detail: error.detail,
    remedy: error.hint ?? null,
  };
  return examine({ diplo: () => running, ...checks });
}

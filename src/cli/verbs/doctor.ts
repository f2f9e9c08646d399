import type { DoctorCheck } from "../../product/schema.ts";
import { COMMON } from "../flags.ts";
import type { Verb } from "../verb.ts";
import { view } from "../views/view.ts";

const EXITS = { ok: 0, warning: 1, fault: 2 } as const;

export const doctor: Verb = {
  name: "doctor",
  summary: "Engine, limits, ports, disk, clock, firewall: what is wrong and what to do",
  usage: "",
  notes: "Exit code: 0 all is well, 1 warnings, 2 faults.",
  flags: COMMON,
  run: async (_given, context) => {
    const report = await context.box.json<{ status: DoctorCheck["status"] }>({
      method: "GET",
      path: "/doctor",
    });
    if (context.json) context.printJson(report);
    else context.io.out(view("doctor", report, context));
    return EXITS[report.status];
  },
};

import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { DoctorCheck } from "./check.ts";

export const doctor = operation({
  verb: "doctor",
  method: "GET",
  path: "/doctor",
  summary: "Engine, limits, ports, disk, clock, firewall: what is wrong and what to do",
  input: t.Object({}),
  output: t.Object({ status: DoctorCheck.properties.status, checks: t.Array(DoctorCheck) }),
  permission: "system:read",
  run: (_call, { doctor }) => doctor.examine(),
});

import type { RuntimeInfo } from "../../engine/runtime/container-runtime.ts";
import type { DoctorCheck } from "./check.ts";
import { fault, warning, well } from "./check.ts";

/** Whether there is an engine to run apps on. */
export function checkEngine(found: readonly RuntimeInfo[]): DoctorCheck {
  const usable = found.find(({ available }) => available);
  if (usable) return well("engine", `${usable.type} ${usable.version} at ${usable.address}`);
  // One that is there but silent says more than all those that were never installed.
  const present = found.filter(({ reason }) => !/no engine socket/i.test(reason ?? ""));
  const reasons = present.map(({ type, reason }) => `${type}: ${reason ?? "not usable"}`).join(" ");
  const looked = found.map(({ address }) => address).join(", ");
  return fault(
    "engine",
    reasons || `No container engine was found${looked && ` (looked at ${looked})`}.`,
    "systemctl start docker, or install it: apt-get install docker.io",
  );
}

/** Whether a limit that was set also holds: a Raspberry Pi ships with the memory cgroup off. */
export function checkLimits(found: readonly RuntimeInfo[]): DoctorCheck | null {
  const usable = found.find(({ available }) => available);
  if (!usable) return null;
  const wanted = { memory_limit: "memory", cpu_limit: "CPU", pids_limit: "process" };
  const missing = Object.entries(wanted).filter(([capability]) => !usable.capabilities.includes(capability));
  if (missing.length === 0) return well("limits", "memory, CPU and process limits hold");
  const names = missing.map(([, name]) => name).join(", ");
  return warning(
    "limits",
    `${names} limits do not work on this kernel: one app can take everything`,
    missing.some(([capability]) => capability === "memory_limit")
      ? "Add cgroup_enable=memory cgroup_memory=1 to the one line of /boot/firmware/cmdline.txt (a Raspberry Pi) and restart the machine."
      : "Use a kernel with the cpu and pids cgroups.",
  );
}

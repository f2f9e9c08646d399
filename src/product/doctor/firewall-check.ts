import type { Config } from "../../config.ts";
import type { Machine } from "../system/machine.ts";
import type { DoctorCheck } from "./check.ts";
import { warning, well } from "./check.ts";

/** Which of the usual firewalls is on, and what would let others reach the box through it. Looks at files only. */
export async function checkFirewall(machine: Machine, settings: Config): Promise<DoctorCheck> {
  if (/^ENABLED=yes/m.test(await machine.text("etc/ufw/ufw.conf"))) return checkUfw(machine, settings);
  if (await machine.text("run/firewalld.pid")) return hint("firewalld", firewalldRemedy(settings));
  if (await machine.text("etc/systemd/system/sysinit.target.wants/nftables.service"))
    return hint("nftables", `accept TCP ${ports(settings).join(", ")} in /etc/nftables.conf`);
  return well("firewall", "none of ufw, firewalld and nftables is on");
}

async function checkUfw(machine: Machine, settings: Config): Promise<DoctorCheck> {
  const remedy = ports(settings)
    .map((port) => `ufw allow ${port.replace("-", ":")}/tcp`)
    .join("; ");
  const rules = await machine.text("etc/ufw/user.rules");
  if (!rules) return hint("ufw", remedy);
  const closed = [settings.control.port, settings.http.port].filter(
    (port) => !new RegExp(`--dports? (\\S*,)?${port}\\b`).test(rules),
  );
  if (closed.length === 0) return well("firewall", "ufw is on and lets our ports through");
  return warning("firewall", `ufw is on and has no rule for port ${closed.join(" and ")}.`, remedy);
}

// Its rules are not ours to read: that it is on is worth knowing, but no warning.
function hint(name: string, remedy: string): DoctorCheck {
  return well("firewall", `${name} is on; if other machines cannot reach the apps: ${remedy}`);
}

function firewalldRemedy(settings: Config): string {
  return `firewall-cmd --permanent ${ports(settings)
    .map((port) => `--add-port=${port}/tcp`)
    .join(" ")} && firewall-cmd --reload`;
}

function ports({ control, http, https, appPorts }: Config): string[] {
  return [control.port, http.port, https.port, `${appPorts.first}-${appPorts.last}`].map(String);
}

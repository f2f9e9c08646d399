/** A run of consecutive ports that are free now, below the range the kernel hands out for connections. */
export function freePorts(count: number): number[] {
  for (let tries = 0; tries < 200; tries++) {
    const first = 10_100 + Math.floor(Math.random() * (32_000 - 10_100 - count));
    const ports = Array.from({ length: count }, (_, i) => first + i);
    if (ports.every(binds)) return ports;
  }
  throw new Error(`no ${count} free ports in a row`);
}

function binds(port: number): boolean {
  try {
    Bun.listen({ hostname: "0.0.0.0", port, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}

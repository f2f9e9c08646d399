import { readFileSync } from "node:fs";
import { isEngineBridge, parseRoutes } from "./address-plan.ts";

const FRESH_MS = 5000;

/**
 * The networks of every engine on this box, as the kernel routes them now: the engine need not be asked, nor be up,
 * and networks made by others later are known within seconds.
 */
export class BridgeSubnets {
  private known: string[] = [];
  private readAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly path = "/proc/net/route") {}

  list(now = performance.now()): readonly string[] {
    if (now - this.readAt < FRESH_MS) return this.known;
    this.readAt = now;
    this.known = parseRoutes(this.read())
      .filter((route) => isEngineBridge(route.interface))
      .map((route) => route.cidr);
    return this.known;
  }

  private read(): string {
    try {
      return readFileSync(this.path, "utf8");
    } catch {
      // No kernel table here: the pool alone is known then.
      return "";
    }
  }
}

import type { Uses } from "./carrier.ts";

/** When each route was last used, without a write per request: whoever looks sees whether a count has moved. */
export class RouteUse {
  private readonly ended = new Map<string, number>();
  private readonly usedAt = new Map<string, number>();

  /** Also when a count went back: a worker took what it knew with it, which may be use that nobody had seen. */
  note(uses: Record<string, Uses>): void {
    const now = Date.now();
    for (const [route, { ended, open }] of Object.entries(uses)) {
      if (open > 0 || ended !== (this.ended.get(route) ?? 0)) this.usedAt.set(route, now);
      this.ended.set(route, ended);
    }
  }

  /** Forgets routes that are gone. */
  keep(routes: ReadonlySet<string>): void {
    for (const map of [this.ended, this.usedAt])
      for (const route of [...map.keys()]) if (!routes.has(route)) map.delete(route);
  }

  /** ISO 8601, by route. */
  times(): Record<string, string> {
    return Object.fromEntries([...this.usedAt].map(([route, at]) => [route, new Date(at).toISOString()]));
  }
}

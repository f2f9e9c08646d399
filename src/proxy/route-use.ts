/** When each route was last used, without a write per request: whoever reports says which routes were. */
export class RouteUse {
  private readonly usedAt = new Map<string, number>();

  note(routes: Iterable<string>): void {
    const now = Date.now();
    for (const route of routes) this.usedAt.set(route, now);
  }

  /** Forgets routes that are gone. */
  keep(routes: ReadonlySet<string>): void {
    for (const route of [...this.usedAt.keys()]) if (!routes.has(route)) this.usedAt.delete(route);
  }

  /** ISO 8601, by route. */
  times(): Record<string, string> {
    return Object.fromEntries([...this.usedAt].map(([route, at]) => [route, new Date(at).toISOString()]));
  }
}

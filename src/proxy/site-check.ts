import { terse } from "../errors.ts";
import type { RouteTable } from "./protocol.ts";
import { loadSite } from "./sites.ts";

/** Whether the static releases that a table names are there. They never change, so each is looked at once. */
export class SiteCheck {
  private known = new Set<string>();

  /** `directory` is the proxy's own. */
  constructor(private readonly directory: string) {}

  /** The first fault and its place; undefined when there is none. */
  problemOf(table: RouteTable): string | undefined {
    const known = new Set<string>();
    for (const [i, { targets }] of table.routes.entries())
      for (const [j, target] of targets.entries()) {
        if (!("site" in target) || known.has(target.site)) continue;
        try {
          if (!this.known.has(target.site)) loadSite(this.directory, target.site);
        } catch (error) {
          return `routes[${i}].targets[${j}].site: ${target.site}: ${terse(error)}`;
        }
        known.add(target.site);
      }
    this.known = known;
    return undefined;
  }
}

import { createHmac } from "node:crypto";
import { Kind } from "./field-kind.ts";
import { cookieValue } from "./own-cookies.ts";
import type { Route } from "./protocol.ts";
import type { RequestHead } from "./request-head.ts";
import type { TargetState } from "./target.ts";

/** What every name of a sticky cookie begins with. */
export const STICKY_PREFIX = "diplo_sticky_";

/**
 * Keeps clients at the instance that answered them first, by a cookie whose value is an alias of the instance. Aliases
 * follow from the table's secret alone: all workers read them alike, they outlast a restart, and nobody who has one
 * can tell what it stands for or make another.
 */
export class Sticky {
  /** One per process of an environment: ports of one host share their cookies, and so do paths. */
  private readonly name: string;
  private readonly byAlias = new Map<string, TargetState>();
  private readonly aliases = new Map<TargetState, string>();

  constructor(route: Route, targets: readonly TargetState[], secret: string) {
    const keyed = (text: string) => createHmac("sha256", secret).update(`sticky ${text}`).digest();
    const place = `${route.app} ${route.environment} ${route.process}`;
    this.name = STICKY_PREFIX + keyed(`route ${place}`).toString("hex", 0, 6);
    for (const target of targets) {
      const alias = keyed(`instance ${target.instance}`).toString("base64url", 0, 15);
      this.byAlias.set(alias, target);
      this.aliases.set(target, alias);
    }
  }

  /** What the request carries; empty when it carries none. */
  read(bytes: Buffer, { fields }: RequestHead): string {
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind[i] !== Kind.cookie) continue;
      const value = cookieValue(fields.value(bytes, i), this.name);
      if (value !== undefined) return value;
    }
    return "";
  }

  /** The instance that `alias` stands for, unless it left the table. */
  target(alias: string): TargetState | undefined {
    return alias === "" ? undefined : this.byAlias.get(alias);
  }

  /** The field line that keeps a client at `target`; empty when `alias` does so already. */
  line(target: TargetState, alias: string, secure: boolean): string {
    const own = this.aliases.get(target);
    if (own === undefined || own === alias) return "";
    return `Set-Cookie: ${this.name}=${own}; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}\r\n`;
  }
}

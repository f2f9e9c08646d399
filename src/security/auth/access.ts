import { ulid } from "ulid";
import { DiploError, notFound } from "../../errors.ts";
import type { Actor } from "../../operation.ts";
import type { Store } from "../../store/store.ts";
import type { Audit } from "../audit/audit.ts";
import { OWNER_PERMISSIONS } from "./permissions.ts";
import { RateLimit } from "./rate-limit.ts";
import { Sessions, type SignedIn, type Visitor } from "./sessions.ts";
import { type CreatedToken, type TokenBody, type TokenRequest, Tokens } from "./tokens.ts";

export { SESSION_COOKIE } from "./session-cookie.ts";

export interface AccessOptions {
  /** Unix milliseconds. */
  now?: () => number;
  /** Wrong secrets per address before 429; right ones always pass, so that nobody is locked out by a neighbour. */
  badSecrets?: RateLimit;
  /** Sign-ins are recorded here, whichever door they came by. */
  audit?: Pick<Audit, "record">;
}

/** Who somebody is: sessions of people, tokens of programs, the owner at the box's own socket. */
export class Access {
  readonly #tokens: Tokens;
  readonly #sessions: Sessions;
  readonly #badSecrets: RateLimit;
  readonly #audit: Pick<Audit, "record"> | undefined;

  constructor(store: Store, { now = Date.now, badSecrets, audit }: AccessOptions = {}) {
    this.#tokens = new Tokens(store, now, ulid);
    this.#sessions = new Sessions(store, now, ulid);
    this.#audit = audit;
    this.#badSecrets = badSecrets ?? new RateLimit({ limit: 20, windowMs: 60_000 });
  }

  tokens(): TokenBody[] {
    return this.#tokens.list();
  }

  /** The secret is in this answer and nowhere else. Throws `invalid` (scopes) and `forbidden`. */
  createToken(request: TokenRequest, actor: Actor): CreatedToken {
    return this.#tokens.create(request, actor);
  }

  /** Throws `token_not_found`. */
  revokeToken(id: string): { revoked: boolean } {
    if (this.#tokens.revoke(id)) return { revoked: true };
    throw notFound("token", id, "List them with: diplo tokens");
  }

  /** Single use, 10 minutes. The secret stands in the fragment: it reaches no server log and no Referer. */
  createLoginLink(urls: string[]): { url: string; urls: string[]; expires_at: string } {
    const { secret, expiresAt } = this.#sessions.createLoginLink();
    const links = urls.map((url) => `${url.replace(/\/+$/, "")}/setup#${secret}`);
    return {
      url: links[0] ?? `/setup#${secret}`,
      urls: links,
      expires_at: new Date(expiresAt).toISOString(),
    };
  }

  /** Throws `login_link_invalid` (401) for an unknown, used or late link, 429 for too many of them. */
  redeemLoginLink(secret: string, visitor: Visitor): SignedIn {
    const signedIn = this.#sessions.redeem(secret, visitor);
    if (signedIn) {
      const actor = { type: "owner", id: signedIn.sessionId, name: "owner" } as const;
      const entry = { action: "owner.signed_in", target: "", detail: {}, outcome: "done" as const };
      this.#audit?.record({ actor, ...entry, ip: visitor.ip });
      return signedIn;
    }
    this.#badSecrets.take(visitor.ip ?? "socket");
    throw new DiploError("login_link_invalid", "unknown, used or expired login link", {
      status: 401,
      detail: "This sign-in link was used already, or its 10 minutes are over.",
      hint: "Make another one on the box: diplo login-link",
    });
  }

  /** null: signed out, expired or never signed in. */
  sessionActor(cookieValue: string, ip: string | null = null): Actor | null {
    return this.#sessions.actor(cookieValue, ip);
  }

  /** null: no such token, expired or revoked. Throws 429 for too many wrong ones from one address. */
  tokenActor(secret: string, ip: string | null = null): Actor | null {
    const actor = this.#tokens.actor(secret, ip);
    if (actor === null) this.#badSecrets.take(ip ?? "socket");
    return actor;
  }

  /** Whoever may open control.sock (0660) owns the box. */
  socketActor(uid?: number): Actor {
    const id = uid === undefined ? "socket" : `uid:${uid}`;
    return { type: "owner", id, name: "owner", permissions: OWNER_PERMISSIONS, via: "socket", ip: null };
  }

  signOut(cookieValue: string): void {
    this.#sessions.end(cookieValue);
  }
}

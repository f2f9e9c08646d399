import type { Actor } from "../../operation.ts";
import type { Store } from "../../store/store.ts";
import { SESSION_PERMISSIONS } from "./permissions.ts";
import { hashOf, randomSecret } from "./secret.ts";
import { setSessionCookie } from "./session-cookie.ts";

export interface Visitor {
  ip: string | null;
  userAgent: string | null;
  /** The visitor came by https: the cookie then never travels in clear. */
  secure?: boolean;
}

export interface SignedIn {
  /** The cookie's value. */
  session: string;
  sessionId: string;
  /** The whole Set-Cookie header. */
  setCookie: string;
}

const LINK_MS = 10 * 60_000;
const IDLE_MS = 7 * 86_400_000;
const LONGEST_MS = 30 * 86_400_000;
/** How old `seen_at` may get: a write per request would wear the card. */
const SEEN_EVERY_MS = 60_000;

interface SessionRow {
  id: string;
  seen_at: number;
  expires_at: number;
}

/** One-time sign-in links and the sessions they lead to, kept as hashes. */
export class Sessions {
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
    private readonly newId: () => string,
  ) {}

  createLoginLink(): { secret: string; expiresAt: number } {
    const secret = randomSecret();
    const now = this.now();
    const expiresAt = now + LINK_MS;
    this.store.transaction(() => {
      this.store.run("delete from login_links where expires_at <= $now or used_at is not null", { now });
      this.store.run(
        "insert into login_links (hash, created_at, expires_at) values ($hash, $now, $expiresAt)",
        {
          hash: hashOf(secret),
          now,
          expiresAt,
        },
      );
    });
    return { secret, expiresAt };
  }

  /** null when the link is unknown, used or late. Using it up and starting the session are one transaction. */
  redeem(secret: string, { ip, userAgent, secure = false }: Visitor): SignedIn | null {
    const now = this.now();
    const session = randomSecret();
    const sessionId = this.newId();
    const used = this.store.transaction(() => {
      const links = this.store.run(
        "update login_links set used_at = $now where hash = $hash and used_at is null and expires_at > $now",
        { now, hash: hashOf(secret) },
      );
      if (links === 1) this.#start(sessionId, session, ip, userAgent, now);
      return links === 1;
    });
    if (!used) return null;
    return { session, sessionId, setCookie: setSessionCookie(session, LONGEST_MS / 1000, { secure }) };
  }

  actor(session: string, ip: string | null): Actor | null {
    const row = this.store.get<SessionRow>(
      "select id, seen_at, expires_at from sessions where hash = $hash",
      {
        hash: hashOf(session),
      },
    );
    const now = this.now();
    if (row === null || row.expires_at <= now || row.seen_at + IDLE_MS <= now) return null;
    if (now - row.seen_at > SEEN_EVERY_MS)
      this.store.run("update sessions set seen_at = $now where id = $id", { now, id: row.id });
    return { type: "owner", id: row.id, name: "owner", permissions: SESSION_PERMISSIONS, via: "session", ip };
  }

  end(session: string): void {
    this.store.run("delete from sessions where hash = $hash", { hash: hashOf(session) });
  }

  #start(id: string, session: string, ip: string | null, userAgent: string | null, now: number): void {
    this.store.run("delete from sessions where expires_at <= $now or seen_at <= $idle", {
      now,
      idle: now - IDLE_MS,
    });
    this.store.run(
      `insert into sessions (id, hash, created_at, seen_at, expires_at, ip, user_agent)
       values ($id, $hash, $now, $now, $expires, $ip, $agent)`,
      {
        id,
        hash: hashOf(session),
        now,
        expires: now + LONGEST_MS,
        ip,
        agent: userAgent?.slice(0, 300) ?? null,
      },
    );
  }
}

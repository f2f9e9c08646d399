import { beforeEach, expect, test } from "bun:test";
import { createLog } from "../../src/log.ts";
import { Audit } from "../../src/security/audit/audit.ts";
import { Access } from "../../src/security/auth/access.ts";
import { readSessionCookie } from "../../src/security/auth/session-cookie.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

const DAY_MS = 86_400_000;
const visitor = { ip: "192.168.1.5", userAgent: "test" };
let store: Store;
let access: Access;
let clock: number;
beforeEach(async () => {
  store = await openStore({ file: ":memory:", backups: "", log: createLog("error", () => {}) });
  clock = Date.UTC(2026, 0, 1);
  access = new Access(store, { now: () => clock });
});

const linkSecret = () => access.createLoginLink(["http://pi.local:8080/"]).url.split("#")[1]!;
const signIn = () => access.redeemLoginLink(linkSecret(), visitor);
const everything = () => JSON.stringify(store.db.serialize().toString("latin1"));

test("Access.createLoginLink puts the secret into the fragment of every address and keeps only its hash", () => {
  const link = access.createLoginLink(["http://192.168.1.9:8080", "http://pi.local:8080/"]);
  expect(link.urls).toHaveLength(2);
  expect(link.url).toMatch(/^http:\/\/192\.168\.1\.9:8080\/setup#[\w-]{43}$/);
  expect(link.urls[1]).toBe(`http://pi.local:8080/setup#${link.url.split("#")[1]}`);
  expect(Date.parse(link.expires_at) - clock).toBe(600_000);
  expect(everything()).not.toContain(link.url.split("#")[1]!);
});

test("Access.redeemLoginLink signs in once", () => {
  const secret = linkSecret();
  const { session, setCookie } = access.redeemLoginLink(secret, visitor);
  expect(setCookie).toBe(`diplo_session=${session}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax`);
  expect(access.sessionActor(session)).toMatchObject({ type: "owner", via: "session" });
  expect(() => access.redeemLoginLink(secret, visitor)).toThrow("used or expired");
  expect(everything()).not.toContain(session);
});

test("Access.redeemLoginLink marks the cookie Secure for a visitor by https", () => {
  expect(access.redeemLoginLink(linkSecret(), { ...visitor, secure: true }).setCookie).toEndWith("; Secure");
});

test("Access.redeemLoginLink refuses a link after 10 minutes", () => {
  const secret = linkSecret();
  clock += 600_000;
  expect(() => access.redeemLoginLink(secret, visitor)).toThrow("used or expired");
});

test("Access.redeemLoginLink answers 429 after many wrong links from one address, but still takes a right one", () => {
  const attempt = (ip: string) => {
    try {
      return access.redeemLoginLink("x".repeat(43), { ...visitor, ip });
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const codes = Array.from({ length: 25 }, () => attempt("192.168.1.66"));
  expect(codes[0]).toBe("login_link_invalid");
  expect(codes[24]).toBe("too_many_requests");
  expect(attempt("192.168.1.67")).toBe("login_link_invalid");
  expect(access.redeemLoginLink(linkSecret(), { ...visitor, ip: "192.168.1.66" }).session).toHaveLength(43);
});

test("Access.sessionActor forgets a session after 7 idle days and after 30 days at most", () => {
  const idle = signIn().session;
  clock += 7 * DAY_MS;
  expect(access.sessionActor(idle)).toBeNull();
  const used = signIn().session;
  for (let day = 0; day < 29; day++) {
    clock += DAY_MS;
    expect(access.sessionActor(used)).not.toBeNull();
  }
  clock += DAY_MS;
  expect(access.sessionActor(used)).toBeNull();
});

test("Access.sessionActor may not do what only the box's own socket may", () => {
  const actor = access.sessionActor(signIn().session)!;
  expect(actor.permissions.has("box:owner")).toBe(false);
  expect(actor.permissions.has("tokens:write")).toBe(true);
  expect(access.socketActor().permissions.has("box:owner")).toBe(true);
});

test("Access.signOut ends the session at once", () => {
  const { session } = signIn();
  access.signOut(session);
  expect(access.sessionActor(session)).toBeNull();
});

test("Access.createToken shows the secret once and keeps its hash", () => {
  const owner = access.socketActor();
  const created = access.createToken(
    { name: "ci", scopes: ["deploy", "apps:read"], expires_in_days: 30 },
    owner,
  );
  expect(created.token).toMatch(/^dpl_[\w-]{43}$/);
  expect(created).toMatchObject({ name: "ci", permissions: ["apps:read", "deploy"], last_used_at: null });
  expect(created.prefix).toBe(created.token.slice(0, 8));
  expect(JSON.stringify(access.tokens())).not.toContain(created.token);
  expect(everything()).not.toContain(created.token);
  const actor = access.tokenActor(created.token, "192.168.1.5")!;
  expect(actor).toMatchObject({
    type: "token",
    id: created.id,
    name: "token ci",
    via: "token",
    ip: "192.168.1.5",
  });
  expect([...actor.permissions].sort()).toEqual(["apps:read", "deploy"]);
  expect(access.tokens()[0]?.last_used_at).toBe(new Date(clock).toISOString());
});

test("Access.createToken reads only by default, and the bundles grow", () => {
  const sizes = [undefined, ["read"], ["write"], ["admin"]].map(
    (scopes) => access.createToken({ name: "t", scopes }, access.socketActor()).permissions.length,
  );
  expect(sizes).toEqual([3, 3, 8, 10]);
});

test("Access.createToken refuses unknown scopes and box:owner", () => {
  for (const scope of ["root", "box:owner", "constructor"])
    expect(() => access.createToken({ name: "t", scopes: [scope] }, access.socketActor())).toThrow("scopes");
});

test("Access.createToken grants nothing that its maker lacks", () => {
  const { token } = access.createToken(
    { name: "maker", scopes: ["tokens:write", "deploy"] },
    access.socketActor(),
  );
  const maker = access.tokenActor(token)!;
  expect(() => access.createToken({ name: "more", scopes: ["admin"] }, maker)).toThrow("cannot grant");
  expect(access.createToken({ name: "same", scopes: ["deploy"] }, maker).permissions).toEqual(["deploy"]);
});

test("Access.tokenActor refuses expired, revoked, malformed and unknown tokens", () => {
  const owner = access.socketActor();
  const short = access.createToken({ name: "short", expires_in_days: 1 }, owner);
  const revoked = access.createToken({ name: "revoked" }, owner);
  expect(access.revokeToken(revoked.id)).toEqual({ revoked: true });
  expect(() => access.revokeToken(revoked.id)).toThrow("does not exist");
  clock += DAY_MS;
  const bad = [short.token, revoked.token, "", "dpl_", "Bearer x", `dpl_${"a".repeat(43)}`, "' or 1=1 --"];
  expect(bad.map((token) => access.tokenActor(token, "ip"))).toEqual(bad.map(() => null));
});

test("Access.tokenActor answers 429 after many wrong tokens, but still takes a right one", () => {
  const { token } = access.createToken({ name: "ci" }, access.socketActor());
  for (let i = 0; i < 20; i++) access.tokenActor("dpl_wrong", "10.0.0.9");
  expect(() => access.tokenActor("dpl_wrong", "10.0.0.9")).toThrow("more than 20");
  expect(access.tokenActor(token, "10.0.0.9")).not.toBeNull();
});

test("readSessionCookie takes ours among others", () => {
  expect(readSessionCookie("a=b; diplo_session=abc; c=d")).toBe("abc");
  expect(readSessionCookie("xdiplo_session=abc")).toBeNull();
  expect(readSessionCookie("diplo_session=")).toBeNull();
  expect(readSessionCookie(null)).toBeNull();
});

test("Access.redeemLoginLink records the sign-in, whichever door it came by, and nothing of the secret", () => {
  const audit = new Audit(store);
  const recording = new Access(store, { audit });
  const secret = recording.createLoginLink([""]).url.split("#")[1]!;
  const { session } = recording.redeemLoginLink(secret, visitor);
  const [entry] = audit.list();
  expect(entry).toMatchObject({ action: "owner.signed_in", outcome: "done", ip: "192.168.1.5" });
  expect(entry?.actor.id).toBe(recording.sessionActor(session)?.id ?? "none");
  expect(JSON.stringify(entry)).not.toContain(secret);
});

import { expect, test } from "bun:test";
import { overlaps } from "../../../src/engine/network/address-plan.ts";
import { product } from "../../support/product.ts";

test("Environments.create gives each app a subnet and a port of its own", async () => {
  const { environments } = await product();
  const a = await environments.create("a", "me");
  const b = await environments.create("b", "me");
  expect(overlaps(a.subnet, b.subnet)).toBe(false);
  expect(a.port).not.toBe(b.port);
  expect(environments.find("a")).toEqual(a);
  expect(environments.find(a.app_id)).toEqual(a);
});

test("Environments.create refuses a second name for the same host label", async () => {
  const { environments } = await product();
  await environments.create("blog@staging", "me");
  await expect(environments.create("blog-staging", "me")).rejects.toMatchObject({ code: "app_exists" });
  await expect(environments.create("blog@staging", "me")).rejects.toMatchObject({ code: "app_exists" });
});

test("Environments.create asked twice at once makes one, and says of the other that the name is taken", async () => {
  const { environments } = await product();
  for (const names of [
    ["blog", "blog"],
    ["shop@staging", "shop-staging"],
  ]) {
    const both = await Promise.allSettled(names.map((name) => environments.create(name, "me")));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find((one) => one.status === "rejected")?.reason).toMatchObject({ code: "app_exists" });
  }
});

test("Environments.create makes an environment beside production, under the same app", async () => {
  const { environments } = await product();
  const production = await environments.create("blog", "me");
  const staging = await environments.create("blog@staging", "me");
  expect(staging.app_id).toBe(production.app_id);
  expect(environments.ofApp(production.app_id).map(({ name }) => name)).toEqual(["production", "staging"]);
});

test("Environments.create never gives out a taken port, the box's own, or one that browsers refuse", async () => {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { environments } = await product({ DIPLO_APP_PORTS: `${taken.port}-${taken.port}` });
  await expect(environments.create("a", "me")).rejects.toMatchObject({ code: "ports_exhausted" });
  taken.stop(true);
  const own = await product({ DIPLO_APP_PORTS: "6665-6670", DIPLO_CONTROL: "127.0.0.1:6670" });
  await expect(own.environments.create("a", "me")).rejects.toMatchObject({ code: "ports_exhausted" });
});

test("Environments.find says what does not exist", async () => {
  const { environments } = await product();
  expect(() => environments.find("nobody")).toThrow('app "nobody" does not exist');
});

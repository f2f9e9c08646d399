import { expect, test } from "bun:test";
import type { InstanceFacts } from "../../../src/engine/runtime/container-runtime.ts";
import { Healing, type HealingOptions } from "../../../src/product/healing/healing.ts";
import type { InstanceRow } from "../../../src/product/instances/instance-rows.ts";
import { product } from "../../support/product.ts";

test("Healing.look goes on when the data plane refuses the routes", async () => {
  const { store, log } = await product();
  const row = { id: "i", name: "diplo-blog-web-1", environment_id: "e", desired: "running", site: null };
  const seen: string[] = [];
  const healing = new Healing({
    store,
    log,
    instances: {
      allPresent: () => [row],
      byId: () => row,
      observe: (of: InstanceRow, observed: string) => seen.push(`${of.id} ${observed}`),
    },
    routes: { publish: () => Promise.reject(new Error("EADDRINUSE")) },
    runtimes: {
      usable: async () => ({ list: async () => [{ name: row.name, state: "running" } as InstanceFacts] }),
    },
  } as unknown as HealingOptions);
  await healing.look();
  expect(seen).toEqual(["i running"]);
});

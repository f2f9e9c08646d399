import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../../../src/config.ts";
import { Sites } from "../../../src/engine/site/sites.ts";
import { SiteHealing } from "../../../src/product/healing/site-healing.ts";
import { product } from "../../support/product.ts";

test("SiteHealing.forget removes what no build knows, and leaves what is kept or being written", async () => {
  const parts = await product();
  const { store, settings, environments } = parts;
  const sites = new Sites(paths.sites(settings.data));
  const environment = await environments.create("blog", "me");
  for (const site of ["known", "pruned", "stranger", "01new", "other.new"])
    await mkdir(join(paths.sites(settings.data), site), { recursive: true });
  for (const [id, prunedAt] of [
    ["known", null],
    ["pruned", 1],
  ] as const)
    store.run(
      `insert into builds (id, environment_id, plan, architecture, site, created_at, pruned_at)
       values ($id, $environmentId, '{}', 'any', $id, 0, $prunedAt)`,
      { id, environmentId: environment.id, prunedAt },
    );
  store.run(
    `insert into jobs (id, kind, lane, status, step, state, created_by, created_at)
     values ('01NEW', 'deployment', 'l', 'running', 'building', '{}', 'me', 0)`,
  );
  store.run(
    `insert into deployments (id, environment_id, job_id, trigger, created_by, request, created_at)
     values ('01NEW', $environmentId, '01NEW', 'user', 'me', '{}', 0)`,
    { environmentId: environment.id },
  );
  await new SiteHealing({ ...parts, sites }).forget();
  expect((await sites.list()).sort()).toEqual(["01new", "known"]);
});

import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { paths } from "../config.ts";
import type { ContainerRuntime } from "../engine/runtime/container-runtime.ts";
import { DiploError } from "../errors.ts";

/** What became of a box's things in one engine. Names of volumes that were kept. */
export interface Removed {
  containers: number;
  networks: number;
  images: number;
  volumes: number;
  kept: string[];
}

/** This box's id, read without changing its database. Throws `box_absent` when there is no box in the directory. */
export function readBoxId(data: string): string {
  const file = paths.database(data);
  if (!existsSync(file)) throw new DiploError("box_absent", `there is no box in ${data}`);
  const db = new Database(file, { readonly: true });
  try {
    const row = db.query("select value from settings where name = 'box_id'").get() as {
      value: string;
    } | null;
    if (row) return row.value;
    throw new DiploError("box_absent", `the database in ${data} has no box id`);
  } finally {
    db.close();
  }
}

/**
 * Removes what a box made in an engine: containers, then networks. Volumes hold people's data, and images are what a
 * box set up again on the same directory starts its apps from: both stay unless `purge`. What another Diplo or a
 * person made is never listed, so never touched.
 */
export async function destroyBox(runtime: ContainerRuntime, purge: boolean): Promise<Removed> {
  const containers = await runtime.list();
  await Promise.all(containers.map(({ name }) => runtime.remove(name)));
  const networks = await runtime.listNetworks();
  for (const { name } of networks) await runtime.removeNetwork(name);
  const images = purge ? await runtime.listImages() : [];
  for (const { id, tags } of images)
    for (const reference of tags.length > 0 ? tags : [id]) await runtime.removeImage(reference);
  const volumes = await runtime.listVolumes();
  if (purge) for (const { name } of volumes) await runtime.removeVolume(name);
  return {
    containers: containers.length,
    networks: networks.length,
    images: images.length,
    volumes: purge ? volumes.length : 0,
    kept: purge ? [] : volumes.map(({ name }) => name),
  };
}

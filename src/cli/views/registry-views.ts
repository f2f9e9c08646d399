import type { Registry } from "../../product/registries/registry.ts";
import { ago } from "../readable.ts";
import { table } from "../table.ts";
import type { View } from "./view-facts.ts";

export const registryList: View<Registry[]> = (registries, { now }) => {
  if (registries.length === 0)
    return "No registries. Public images need none; sign in to one: diplo registries:add ghcr.io USER --password -\n";
  return table<Registry>(
    [
      { title: "REGISTRY", cell: ({ server }) => server },
      { title: "AS", cell: ({ username }) => username },
      { title: "SINCE", cell: ({ created_at }) => ago(created_at, now) },
      { title: "BY", cell: ({ created_by }) => created_by },
    ],
    registries,
  );
};

export const registryKept: View<Registry> = ({ server, username }) =>
  `Images from ${server} are fetched as ${username} from now on. Try it: diplo registries:test ${server}\n`;

export const registryAnswers: View<Registry> = ({ server, username }) =>
  `${server} lets the box in as ${username}.\n`;

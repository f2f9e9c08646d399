import type { Formation } from "./app-json.ts";

export interface ProcessSize {
  memory: string;
  cpus: number | null;
}

/** Sizes that app.json may name. The four of Heroku's small plans are one. */
const SIZES: Record<string, ProcessSize> = {
  nano: { memory: "128m", cpus: null },
  micro: { memory: "256m", cpus: null },
  free: { memory: "512m", cpus: 1 },
  eco: { memory: "512m", cpus: 1 },
  hobby: { memory: "512m", cpus: 1 },
  basic: { memory: "512m", cpus: 1 },
  "standard-1x": { memory: "512m", cpus: 1 },
  "standard-2x": { memory: "1g", cpus: 2 },
  "performance-m": { memory: "2560m", cpus: 4 },
  "performance-l": { memory: "14g", cpus: 8 },
};
const ORDER = Object.keys(SIZES);

/** The largest size of a formation: an environment's processes share their limits. null when it names none we know. */
export function largestSize(
  formation: Record<string, Formation>,
): { name: string; size: ProcessSize } | null {
  const names = Object.values(formation)
    .filter(({ quantity }) => quantity !== 0)
    .map(({ size }) => (size ?? "").toLowerCase())
    .filter((name) => Object.hasOwn(SIZES, name));
  const name = names.sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).at(-1);
  return name === undefined ? null : { name, size: SIZES[name]! };
}

/** Sizes of a formation that are not ours. */
export function unknownSizes(formation: Record<string, Formation>): string[] {
  const sizes = Object.values(formation).flatMap(({ size }) => size ?? []);
  return [...new Set(sizes)].filter((size) => !Object.hasOwn(SIZES, size.toLowerCase()));
}

import { randomBytes } from "node:crypto";
import { firstOf, readJson, type SourceTree } from "./tree.ts";

/** A config value that a repository says it needs; shown before the first deployment. */
export interface NeededConfig {
  name: string;
  description: string | null;
  /** An example or default; never a secret. */
  value: string | null;
  required: boolean;
  /** Made for the person when they give none. */
  generator: "secret" | null;
  /** What a value must match, as the repository wrote it. */
  pattern: string | null;
  from: string;
}

/** What app.json says beside env (Heroku's schema). */
export interface AppJson {
  env: NeededConfig[];
  /** Wanted number of instances by process. */
  formation: Record<string, number>;
  /** Run once after the first successful deployment. */
  post_deploy: string | null;
}

const EXAMPLES = [".env.example", ".env.sample", ".env.template", "example.env", ".env.dist"];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Set by Diplo itself. */
const OURS = /^(PORT$|DIPLO_)/;

/** Config that a tree asks for: app.json first, then its example of a .env file. */
export async function neededConfig(tree: SourceTree): Promise<NeededConfig[]> {
  const { env } = await readAppJson(tree);
  const known = new Set(env.map(({ name }) => name));
  const example = await firstOf(tree, EXAMPLES);
  const more = example === null ? [] : parseExample((await tree.read(example)) ?? "", example);
  return [...env, ...more.filter(({ name }) => !known.has(name))]
    .filter(({ name }) => !OURS.test(name))
    .slice(0, 200);
}

/** app.json; a broken one counts as empty. */
export async function readAppJson(tree: SourceTree): Promise<AppJson> {
  const json = await readJson(tree, "app.json").catch(() => null);
  const formation = Object.entries(objectOf(json?.formation)).map(([name, size]) => [
    name,
    objectOf(size).quantity,
  ]);
  const script = objectOf(json?.scripts).postdeploy;
  return {
    env: Object.entries(objectOf(json?.env))
      .filter(([name]) => NAME.test(name))
      .map(([name, said]) => wanted(name, said)),
    formation: Object.fromEntries(formation.filter(([, count]) => Number.isSafeInteger(count))),
    post_deploy: typeof script === "string" && script !== "" ? script : null,
  };
}

/** A bare string is a default; an object says more; both are required unless it says no. */
function wanted(name: string, said: unknown): NeededConfig {
  const fields = typeof said === "string" ? { value: said } : objectOf(said);
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return {
    name,
    description: text(fields.description),
    value: text(fields.value),
    required: fields.required !== false,
    generator: fields.generator === "secret" ? "secret" : null,
    pattern: text(fields.pattern),
    from: "app.json",
  };
}

/** dotenv lines; the comment above a name describes it. Placeholders are no values. */
function parseExample(text: string, from: string): NeededConfig[] {
  const found: NeededConfig[] = [];
  let comment: string | null = null;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const said = /^(#\s*)?(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line);
    if (said !== null) {
      const value = said[3]!
        .trim()
        .replace(/\s+#.*$/, "")
        .replace(/^(['"])(.*)\1$/, "$2");
      const placeholder = /^$|^<.*>$|^(your|change|xxx|todo|\.\.\.)/i.test(value);
      const entry = {
        description: comment,
        value: placeholder ? null : value,
        required: said[1] === undefined,
      };
      found.push({ name: said[2]!, ...entry, generator: null, pattern: null, from });
      comment = null;
    } else comment = line.startsWith("#") ? line.replace(/^#+\s*/, "").slice(0, 200) || null : null;
  }
  return found;
}

/** A secret for `generator: "secret"`: 64 hexadecimal digits, as Heroku makes them. */
export function generateSecret(): string {
  return randomBytes(32).toString("hex");
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

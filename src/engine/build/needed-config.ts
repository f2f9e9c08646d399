import { NO_APP_JSON, readAppJson } from "./app-json.ts";
import { firstOf, type SourceTree } from "./tree.ts";

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

const EXAMPLES = [".env.example", ".env.sample", ".env.template", "example.env", ".env.dist"];
/** Set by Diplo itself. */
const OURS = /^(PORT$|DIPLO_)/;

/** Config that a tree asks for: app.json first, then its example of a .env file. A broken app.json asks for nothing. */
export async function neededConfig(tree: SourceTree): Promise<NeededConfig[]> {
  const { env } = await readAppJson(tree).catch(() => NO_APP_JSON);
  const wanted = Object.entries(env).map(([name, said]) => ({ name, ...said, from: "app.json" }));
  const example = await firstOf(tree, EXAMPLES);
  const more = example === null ? [] : parseExample((await tree.read(example)) ?? "", example);
  return [...wanted, ...more.filter(({ name }) => !Object.hasOwn(env, name))]
    .filter(({ name }) => !OURS.test(name))
    .slice(0, 200);
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

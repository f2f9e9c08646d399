import { PermanentError } from "../../errors.ts";
import { jsonMistake } from "./json-place.ts";
import { safePattern } from "./safe-pattern.ts";
import type { SourceTree } from "./tree.ts";

/** A config variable that app.json asks for. */
export interface AppJsonVar {
  description: string | null;
  /** Written when the app has none. */
  value: string | null;
  required: boolean;
  /** Made for the person when they give none. */
  generator: "secret" | null;
  /** Our own addition: what a value must match as a whole (`safePattern`). */
  pattern: string | null;
}

/** How many of a process, and how large, the first deployment starts. */
export interface Formation {
  quantity: number | null;
  /** As it was written, e.g. `Standard-1X`. */
  size: string | null;
}

/** app.json (devcenter.heroku.com, "app.json Schema"), with `hooks` and `env.*.pattern` of our own. */
export interface AppJson {
  env: Record<string, AppJsonVar>;
  formation: Record<string, Formation>;
  /** Runs once, after the first deployment. */
  postdeploy: string | null;
  hooks: { pre_build: string | null; release: string | null; post_deploy: string | null };
  /** Addresses or names, e.g. `heroku/nodejs`. */
  buildpacks: string[];
  /** Plans, e.g. `heroku-postgresql:mini`. */
  addons: string[];
  /** Commands. */
  cron: string[];
}

export const NO_APP_JSON: AppJson = {
  env: {},
  formation: {},
  postdeploy: null,
  hooks: { pre_build: null, release: null, post_deploy: null },
  buildpacks: [],
  addons: [],
  cron: [],
};

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PROCESS = /^[a-z][a-z0-9_-]{0,29}$/;
/** Set by Diplo itself. */
const OURS = /^(PORT$|DIPLO_)/;

/** The tree's app.json; empty when there is none. Throws `app_json_invalid` with the place. */
export async function readAppJson(tree: SourceTree): Promise<AppJson> {
  const text = await tree.read("app.json");
  return text === null ? NO_APP_JSON : parseAppJson(text);
}

/** Throws PermanentError `app_json_invalid`, which names the line or the field. */
export function parseAppJson(text: string): AppJson {
  const json = object(parse(text.replace(/^\uFEFF/, "")), "the file");
  const scripts = object(json.scripts ?? {}, "scripts");
  const hooks = object(json.hooks ?? {}, "hooks");
  return {
    env: mapped(json.env, "env", readVar),
    formation: mapped(json.formation, "formation", readFormation),
    postdeploy: command(scripts.postdeploy, "scripts.postdeploy"),
    hooks: {
      pre_build: command(hooks.pre_build, "hooks.pre_build"),
      release: command(hooks.release, "hooks.release"),
      post_deploy: command(hooks.post_deploy, "hooks.post_deploy"),
    },
    buildpacks: list(json.buildpacks, "buildpacks", "url"),
    addons: list(json.addons, "addons", "plan"),
    cron: list(json.cron, "cron", "command"),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = jsonMistake(text);
    const where = place === null ? "" : `line ${place.line}, column ${place.column}: `;
    throw broken(`${where}${(error as Error).message.replace("JSON Parse error: ", "")}`);
  }
}

function readVar(said: unknown, place: string, name: string): AppJsonVar | null {
  if (!NAME.test(name)) throw broken(`${place}: is no name for a variable`);
  if (OURS.test(name)) return null;
  const fields = typeof said === "object" && said !== null ? object(said, place) : { value: said };
  const { generator } = fields;
  if (generator !== undefined && generator !== "secret")
    throw broken(`${place}.generator: "secret" is the only one`);
  if (fields.required !== undefined && typeof fields.required !== "boolean")
    throw broken(`${place}.required: must be true or false`);
  return {
    description: text(fields.description, `${place}.description`),
    value: value(fields.value, `${place}.value`),
    required: fields.required !== false,
    generator: generator === "secret" ? generator : null,
    pattern: pattern(fields.pattern, `${place}.pattern`),
  };
}

function readFormation(said: unknown, place: string, name: string): Formation {
  if (!PROCESS.test(name)) throw broken(`${place}: is no name for a process`);
  const { quantity, size } = object(said, place);
  const counts = Number.isSafeInteger(quantity) && (quantity as number) >= 0 && (quantity as number) <= 100;
  if (quantity !== undefined && !counts) throw broken(`${place}.quantity: must be a number from 0 to 100`);
  return { quantity: (quantity as number | undefined) ?? null, size: text(size, `${place}.size`) };
}

function mapped<T>(
  said: unknown,
  place: string,
  read: (said: unknown, place: string, name: string) => T | null,
): Record<string, T> {
  const entries = Object.entries(object(said ?? {}, place));
  if (entries.length > 200) throw broken(`${place}: has more than 200 entries`);
  const found = entries.map(([name, entry]) => [name, read(entry, `${place}.${shown(name)}`, name)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, Awaited<T>] => entry[1] !== null));
}

/** A list of texts, or of objects with the text in one of their fields. */
function list(said: unknown, place: string, field: string): string[] {
  if (said === undefined) return [];
  if (!Array.isArray(said)) throw broken(`${place}: must be a list`);
  return said.slice(0, 100).map((entry, index) => {
    const found = typeof entry === "string" ? entry : object(entry, `${place}[${index}]`)[field];
    if (typeof found !== "string") throw broken(`${place}[${index}].${field}: must be a text`);
    return shown(found);
  });
}

function object(said: unknown, place: string): Record<string, unknown> {
  if (typeof said === "object" && said !== null && !Array.isArray(said))
    return said as Record<string, unknown>;
  throw broken(`${place}: must be an object, {…}`);
}

function text(said: unknown, place: string): string | null {
  if (said === undefined || said === null) return null;
  if (typeof said !== "string") throw broken(`${place}: must be a text`);
  return said.replace(/\p{C}+/gu, " ").slice(0, 500);
}

/** Heroku wants texts; a number or a yes can mean one thing only. */
function value(said: unknown, place: string): string | null {
  if (said === undefined || said === null) return null;
  if (typeof said === "number" || typeof said === "boolean") return String(said);
  if (typeof said !== "string") throw broken(`${place}: must be a text`);
  if (said.includes("\0") || said.length > 64 * 1024) throw broken(`${place}: no variable can hold it`);
  return said;
}

function command(said: unknown, place: string): string | null {
  if (said === undefined || said === null || said === "") return null;
  if (typeof said !== "string") throw broken(`${place}: must be a text, the command`);
  if (/(?!\t)\p{Cc}/u.test(said)) throw broken(`${place}: a command is one line without control characters`);
  return said;
}

function pattern(said: unknown, place: string): string | null {
  const source = text(said, place);
  if (source === null) return null;
  try {
    safePattern(source);
  } catch (error) {
    throw broken(`${place}: ${(error as Error).message.split("\n")[0]}`);
  }
  return source;
}

function shown(name: string): string {
  return name.replace(/\p{C}+/gu, " ").slice(0, 200);
}

function broken(reason: string): PermanentError {
  return new PermanentError("app_json_invalid", `app.json: ${reason}`, {
    detail: `app.json cannot be used: ${reason}.`,
    hint: "Mend it in the repository and deploy again; diplo build --plan shows whether it is right.",
  });
}

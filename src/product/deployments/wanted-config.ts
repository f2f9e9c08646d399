import type { AppJsonVar } from "../../engine/build/app-json.ts";
import { safePattern } from "../../engine/build/safe-pattern.ts";
import { PermanentError } from "../../errors.ts";
import { type Environment, refOf } from "../environments/environments.ts";

export interface WantedConfig {
  environment: Environment;
  /** What app.json asks for. */
  wanted: Record<string, AppJsonVar>;
  /** What is set. */
  config: Record<string, string>;
  /** Whether a name was ever set, and perhaps unset again: what somebody decided is not decided anew. */
  wasSet: (name: string) => boolean;
  /** Makes a secret. */
  generate: () => string;
}

/**
 * What app.json sets where nobody did: defaults, and secrets made for it. Throws `config_missing` for required
 * variables that nothing sets and `config_invalid` for values that do not fit their pattern; neither names a value.
 */
export function defaultsOf(asked: WantedConfig): Record<string, string> {
  const { wanted, config, wasSet, generate } = asked;
  const defaults: Record<string, string> = {};
  for (const [name, { value, generator }] of Object.entries(wanted)) {
    if (Object.hasOwn(config, name) || wasSet(name)) continue;
    if (generator === "secret") defaults[name] = generate();
    else if (value !== null) defaults[name] = value;
  }
  check(asked, { ...defaults, ...config });
  return defaults;
}

function check({ environment, wanted, wasSet }: WantedConfig, config: Record<string, string>): void {
  const entries = Object.entries(wanted);
  const missing = entries.filter(([name, { required }]) => required && !Object.hasOwn(config, name));
  if (missing.length > 0) throw missingConfig(environment, missing, wasSet);
  for (const [name, { pattern, description }] of entries) {
    const value = config[name];
    if (value === undefined || pattern === null || safePattern(pattern)(value)) continue;
    throw invalidConfig(environment, name, pattern, description);
  }
}

function missingConfig(
  environment: Environment,
  missing: [string, AppJsonVar][],
  wasSet: (name: string) => boolean,
): PermanentError {
  const names = missing.map(([name]) => name);
  const told = missing.map(([name, { description }]) => described(name, description)).join(", ");
  const unset = names.filter(wasSet);
  return new PermanentError("config_missing", `app.json requires ${names.join(", ")}`, {
    detail: `This app needs ${told}: app.json says so, and nothing sets ${names.length === 1 ? "it" : "them"}.${
      unset.length > 0 ? ` ${unset.join(", ")} was unset before.` : ""
    } Nothing was built.`,
    hint: `diplo config:set -a ${refOf(environment)} ${names.map((name) => `${name}=…`).join(" ")}, and deploy again.`,
  });
}

function invalidConfig(
  environment: Environment,
  name: string,
  pattern: string,
  description: string | null,
): PermanentError {
  return new PermanentError("config_invalid", `${name} does not match its pattern in app.json`, {
    detail: `The value of ${described(name, description)} does not match what app.json wants of it: ${pattern}. Nothing was built.`,
    hint: `diplo config:set -a ${refOf(environment)} ${name}=…, and deploy again.`,
  });
}

function described(name: string, description: string | null): string {
  return description === null ? name : `${name} (${description})`;
}

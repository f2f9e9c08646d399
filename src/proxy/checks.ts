/** Something given that breaks the protocol; the message says where. */
export class Invalid extends Error {}

export type Checked = Record<string, unknown>;

export function object(value: unknown, at: string): Checked {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(at, "not an object");
  return value as Checked;
}

export function array(value: unknown, at: string): unknown[] {
  return Array.isArray(value) ? value : fail(at, "not an array");
}

export function text(value: unknown, at: string): string {
  return typeof value === "string" && value !== "" ? value : fail(at, "not a text, or empty");
}

export function boolean(value: unknown, at: string): boolean {
  return typeof value === "boolean" ? value : fail(at, "not true or false");
}

export function integer(value: unknown, at: string, min: number, max: number): number {
  const whole = typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
  return whole ? (value as number) : fail(at, `not a whole number from ${min} to ${max}`);
}

export function matching(value: unknown, pattern: RegExp, at: string): string {
  return typeof value === "string" && pattern.test(value) ? value : fail(at, "malformed");
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[], at: string): T {
  return allowed.find((one) => one === value) ?? fail(at, `not one of ${allowed.join(", ")}`);
}

export function fail(at: string, problem: string): never {
  throw new Invalid(`${at}: ${problem}`);
}

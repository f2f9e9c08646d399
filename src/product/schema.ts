import { type Static, Type as t } from "@sinclair/typebox";

/** Shapes that several nouns share in the API (snake_case, times as ISO 8601 UTC). */

export const AppRef = t.String({
  description: "App name or id; `name@environment` for another environment than production",
  minLength: 1,
  maxLength: 200,
});

/** Which part of a listing that may be long; the newest 20 when nothing is said. Spread into the input. */
export const Page = {
  limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, description: "How many at most" })),
  offset: t.Optional(t.Integer({ minimum: 0, description: "How many to leave out" })),
};

export const Time = t.String({ format: "date-time" });

export const ErrorBody = t.Object({
  code: t.String(),
  title: t.String(),
  detail: t.String(),
  evidence: t.Array(t.String()),
  hint: t.Union([t.String(), t.Null()]),
});
export type ErrorBody = Static<typeof ErrorBody>;

/** Unix milliseconds as the API writes them. */
export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null | undefined): string | null => (ms == null ? null : iso(ms));

import type { Paint } from "../colour.ts";

export interface ViewFacts {
  paint: Paint;
  /** Unix milliseconds, for "3 min ago". */
  now: number;
}

/** An operation's answer as text for people, ending with a newline; "" says nothing. */
export type View<Body> = (body: Body, facts: ViewFacts) => string;

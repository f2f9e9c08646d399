const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 } as const;
export type Colour = keyof typeof CODES;

/** Wraps a text in terminal colours, or leaves it alone. */
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_colour, text) => text;
export const coloured: Paint = (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;

const STATES: Record<string, Colour> = {
  running: "green",
  live: "green",
  success: "green",
  succeeded: "green",
  current: "green",
  healthy: "green",
  ok: "green",
  deploying: "blue",
  redeploying: "blue",
  building: "blue",
  starting: "blue",
  queued: "blue",
  degraded: "yellow",
  unhealthy: "yellow",
  warning: "yellow",
  stopping: "yellow",
  sleeping: "blue",
  error: "red",
  failed: "red",
  fault: "red",
  crashed: "red",
};

/** A state word in its colour; words without one stay as they are. */
export function paintState(paint: Paint, state: string): string {
  const colour = STATES[state];
  return colour ? paint(colour, state) : state;
}

const MAX_PATTERN = 500;
const MAX_STATES = 1000;
const MAX_VALUE = 4096;
const QUANTIFIER = /^(?:[*+?]|\{(\d{1,4})(?:(,)(\d{0,4}))?\})\??/;
const ESCAPE = /^\\(?:[dDwWsSnrtfv]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^A-Za-z0-9])/u;

/** A state of the automaton: eats a character that fits (null: none), and goes on to any of `next`. */
interface State {
  fits: RegExp | null;
  next: number[];
}

/** Answers whether a value as a whole is what the pattern says. */
export type Pattern = (value: string) => boolean;

/**
 * A regular expression that somebody else's repository wrote, made safe to run: matched by following all of its
 * states at once (Thompson's construction), in time that grows with value × pattern and never exponentially. As in
 * HTML's `pattern`, it must fit the whole value. Throws a plain sentence for what only backtracking could match
 * (lookaround, back references) and for patterns beyond 500 characters or 1,000 states.
 */
export function safePattern(source: string): Pattern {
  if (source.length > MAX_PATTERN) throw new Error(`it is longer than ${MAX_PATTERN} characters`);
  const states: State[] = [{ fits: null, next: [] }];
  const text = source.replace(/^\^/, "").replace(/(?<!\\)((?:\\\\)*)\$$/, "$1");
  const parser = new Parser(text, states);
  const start = parser.alternatives()(0);
  if (parser.rest !== "") throw new Error(`"${parser.rest.slice(0, 10)}" stands where nothing may`);
  return (value) => value.length <= MAX_VALUE && run(states, start, value);
}

/** Given the state that follows, makes the states of a part and answers its first one. */
type Part = (next: number) => number;

class Parser {
  constructor(
    public rest: string,
    private readonly states: State[],
  ) {}

  alternatives(): Part {
    const parts = [this.sequence()];
    while (this.skip("|")) parts.push(this.sequence());
    if (parts.length === 1) return parts[0]!;
    return (next) => this.add(null, ...parts.map((part) => part(next)));
  }

  private sequence(): Part {
    const parts: Part[] = [];
    while (this.rest !== "" && !/^[|)]/.test(this.rest)) parts.push(this.repeated(this.one()));
    return (next) => parts.reduceRight((after, part) => part(after), next);
  }

  private repeated(part: Part): Part {
    const match = QUANTIFIER.exec(this.rest);
    if (match === null) return part;
    this.rest = this.rest.slice(match[0].length);
    const least = match[1] === undefined ? Number(match[0].startsWith("+")) : Number(match[1]);
    const most = mostOf(match, least);
    if (most !== null && most < least) throw new Error(`${match[0]} counts backwards`);
    return (next) => {
      let first = next;
      if (most === null) first = this.loop(part, next);
      else for (let more = least; more < most; more++) first = this.add(null, part(first), next);
      for (let times = 0; times < least; times++) first = part(first);
      return first;
    };
  }

  private loop(part: Part, next: number): number {
    const again = this.add(null, next);
    this.states[again]!.next.push(part(again));
    return again;
  }

  private one(): Part {
    if (this.skip("(")) return this.group();
    const [single] = /^(?:\[\^?(?:\\.|[^\\\]])*\]|\\.[0-9a-fA-F]{0,4}|.)/su.exec(this.rest) ?? [this.rest];
    const token = single.startsWith("\\") ? (ESCAPE.exec(this.rest)?.[0] ?? "") : single;
    if (token === "") throw new Error(`${single.slice(0, 2)} is not supported`);
    if (/^[*+?{^$[\]})]$/.test(token)) throw new Error(`${token} stands where it means nothing`);
    this.rest = this.rest.slice(token.length);
    const fits = oneCharacter(token);
    return (next) => this.add(fits, next);
  }

  private group(): Part {
    if (this.rest.startsWith("?") && !this.skip("?:"))
      throw new Error(`(${this.rest.slice(0, 3)} is not supported`);
    const inside = this.alternatives();
    if (!this.skip(")")) throw new Error("a bracket is not closed");
    return inside;
  }

  private skip(word: string): boolean {
    if (!this.rest.startsWith(word)) return false;
    this.rest = this.rest.slice(word.length);
    return true;
  }

  private add(fits: RegExp | null, ...next: number[]): number {
    if (this.states.length >= MAX_STATES) throw new Error("it counts too far");
    return this.states.push({ fits, next }) - 1;
  }
}

/** How often at most; null = without end. */
function mostOf([sign, , comma, most]: RegExpExecArray, least: number): number | null {
  if (sign.startsWith("*") || sign.startsWith("+")) return null;
  if (sign.startsWith("?")) return 1;
  if (comma === undefined) return least;
  return most === "" || most === undefined ? null : Number(most);
}

/** One character against one class is no search: the engine's own reading of the class is safe to use. */
function oneCharacter(token: string): RegExp {
  return new RegExp(`^(?:${token === "/" ? "\\/" : token})$`, "su");
}

/** State 0 is the end. */
function run(states: State[], start: number, value: string): boolean {
  let now = reach(states, [start]);
  for (const character of value) {
    const next: number[] = [];
    for (const index of now) {
      const { fits, next: after } = states[index]!;
      if (fits?.test(character)) next.push(...after);
    }
    if (next.length === 0) return false;
    now = reach(states, next);
  }
  return now.has(0);
}

/** These states, and those that are reached from them without eating anything. */
function reach(states: State[], from: number[]): Set<number> {
  const found = new Set(from);
  for (const index of found) {
    const { fits, next } = states[index]!;
    if (fits === null) for (const other of next) found.add(other);
  }
  return found;
}

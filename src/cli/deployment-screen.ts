import type { Deployment } from "../product/deployments/deployment.ts";
import type { CliIo } from "./cli-io.ts";
import type { Paint } from "./colour.ts";
import { plainLines, progressLine } from "./progress.ts";
import { safe } from "./table.ts";

const REPAINT_MS = 100;
const KEPT_LINES = 200;

/** Draws a deployment as it goes: on a terminal one line that is written over, otherwise a line per change. */
export class DeploymentScreen {
  /** How often Ctrl-C was pressed. */
  interrupts = 0;
  readonly #io: CliIo;
  readonly #paint: Paint;
  readonly #verbose: boolean;
  #deployment: Deployment | null = null;
  #lines: string[] = [];
  #drawn = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(io: CliIo, paint: Paint, verbose: boolean) {
    this.#io = io;
    this.#paint = paint;
    this.#verbose = verbose;
  }

  show(deployment: Deployment): void {
    const before = this.#deployment;
    this.#deployment = deployment;
    if (this.#io.terminal.err) {
      this.#timer ??= setInterval(() => this.#draw(), REPAINT_MS);
      this.#draw();
    } else for (const line of plainLines(before, deployment)) this.#io.err(`${line}\n`);
  }

  /** A line of the build. */
  line(text: string): void {
    this.#lines.push(safe(Bun.stripANSI(text)));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    if (this.#verbose) this.note(`  ${this.#lines.at(-1)}`);
  }

  /** A line of its own above the progress. */
  note(text: string): void {
    this.#erase();
    this.#io.err(`${text}\n`);
  }

  lastLines(count: number): string[] {
    return this.#lines.slice(-count);
  }

  /** Leaves the phases standing, without the build's last line. */
  close(last: Deployment): void {
    this.clear();
    this.#deployment = { ...last, message: "" };
    if (this.#io.terminal.err) this.#io.err(`${this.#text("")}\n`);
  }

  /** Takes the changing line away, and stops drawing it. */
  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#erase();
  }

  #erase(): void {
    if (this.#drawn) this.#io.err("\r\x1b[K");
    this.#drawn = false;
  }

  #draw(): void {
    this.#io.err(`\r${this.#text(this.#lines.at(-1) ?? "")}\x1b[K`);
    this.#drawn = true;
  }

  #text(lastLine: string): string {
    if (!this.#deployment) return "";
    const now = this.#deployment.finished_at ? Date.parse(this.#deployment.finished_at) : this.#io.now();
    const { columns } = this.#io.size();
    return progressLine({
      deployment: this.#deployment,
      lastLine,
      now,
      columns: columns - 1,
      paint: this.#paint,
    });
  }
}

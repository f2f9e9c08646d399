/** The person's side of the command line. Injected, so that tests see what a person would see. */
export interface CliIo {
  /** Results: what a script reads. */
  out(text: string): void;
  outBytes(bytes: Uint8Array): void;
  /** Progress, notes and errors. */
  err(text: string): void;
  errBytes(bytes: Uint8Array): void;
  /** Which of the three streams are a terminal. */
  terminal: { in: boolean; out: boolean; err: boolean };
  /** Width and height of the terminal in characters. */
  size(): { columns: number; rows: number };
  /** Everything on stdin until its end. */
  readAll(): Promise<Uint8Array>;
  /** Bytes of stdin as they come. With `raw`, keys arrive at once and unechoed. Disposing gives the terminal back. */
  keys(raw: boolean): AsyncIterable<Uint8Array> & Disposable;
  /** Asks on the terminal; `hidden` echoes nothing. Throws UsageError when there is no terminal. */
  ask(question: string, hidden?: boolean): Promise<string>;
  /** Called at each Ctrl-C instead of ending the process, until disposed. */
  onInterrupt(handler: () => void): Disposable;
  /** Called when the terminal's size changed, until disposed. */
  onResize(handler: () => void): Disposable;
  now(): number;
  directory: string;
}

/** What a gate found: nothing, or the text that says why it is closed. */
export type Verdict = { ok: true; note?: string } | { ok: false; output: string };

export interface Gate {
  name: string;
  check(): Promise<Verdict>;
}

export interface Ran {
  code: number;
  output: string;
}

/** Runs a program in the checkout, its stdout and stderr in one text. */
export async function run(argv: string[], options: { cwd: string; limitMs?: number }): Promise<Ran> {
  const child = Bun.spawn(argv, {
    cwd: options.cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.limitMs ?? 600_000,
    killSignal: "SIGKILL",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, output: `${out}${err}` };
}

/** A gate that is open when a program exits with one of these codes. */
export async function passes(argv: string[], cwd: string, codes: readonly number[] = [0]): Promise<Verdict> {
  const { code, output } = await run(argv, { cwd });
  return codes.includes(code) ? { ok: true } : { ok: false, output: `${output}\n(exit code ${code})` };
}

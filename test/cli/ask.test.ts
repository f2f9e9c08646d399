import { expect, test } from "bun:test";
import { join } from "node:path";

const IO = join(import.meta.dir, "../../src/cli/process-io.ts");
const EXIT = join(import.meta.dir, "../../src/cli/exit-code.ts");

/** Asks twice on a terminal of its own; prints what it got, or ends as the command line would. */
const PROGRAM = `
import { processIo } from ${JSON.stringify(IO)};
import { exitCodeOf } from ${JSON.stringify(EXIT)};
const io = processIo();
try {
  const name = await io.ask("Name [ada]: ");
  const secret = await io.ask("Secret: ", true);
  io.out("got " + JSON.stringify({ name, length: secret.length }) + "\\n");
} catch (error) {
  process.exit(exitCodeOf(error));
}`;

/** Python has the pseudo-terminal: types each answer once its question stands there. */
const TERMINAL = `
import json, os, pty, select, sys
program, answers = sys.argv[2], json.loads(sys.argv[3])
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], [sys.argv[1], "-e", program])
out, at = b"", 0
while select.select([fd], [], [], 20)[0]:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    out += data
    if answers and answers[0][0].encode() in out[at:]:
        at = len(out)
        os.write(fd, answers.pop(0)[1].encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "out": out.decode()}))
`;

async function atTerminal(
  answers: [question: string, typed: string][],
): Promise<{ code: number; out: string }> {
  const argv = ["python3", "-c", TERMINAL, process.execPath, PROGRAM, JSON.stringify(answers)];
  const child = Bun.spawn(argv, { stdout: "pipe", env: { ...process.env, TERM: "xterm" } });
  return JSON.parse(await new Response(child.stdout).text());
}

test("processIo.ask shows its question, echoes what is typed, and nothing of a secret", async () => {
  const { code, out } = await atTerminal([
    ["Name", "grace\r"],
    ["Secret", "canary-typed\r"],
  ]);
  expect(code).toBe(0);
  expect(out).toContain('got {"name":"grace","length":12}');
  expect(out).not.toContain("canary-typed");
  // The line is drawn anew by readline: the question stands there after the last time it was cleared.
  const cleared = out.slice(0, out.indexOf("Secret")).split("\u001b[0J").at(-1);
  expect(cleared).toContain("Name [ada]: ");
  expect(out).toContain("grace");
}, 30_000);

test("processIo.ask ends with 130 at Ctrl-C and at Ctrl-D", async () => {
  for (const key of ["\u0003", "\u0004"]) expect((await atTerminal([["Name", key]])).code).toBe(130);
  expect(
    (
      await atTerminal([
        ["Name", "a\r"],
        ["Secret", "\u0003"],
      ])
    ).code,
  ).toBe(130);
}, 30_000);

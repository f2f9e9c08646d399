import type { App } from "../product/apps/app.ts";
import { joinRef } from "../product/apps/app-name.ts";
import type { Deployment } from "../product/deployments/deployment.ts";
import type { CliContext } from "./cli-context.ts";
import { DeploymentScreen } from "./deployment-screen.ts";
import { readDeploymentLog, watchDeployment } from "./deployment-streams.ts";
import { EXIT } from "./exit-code.ts";
import { pathSegment } from "./operation-request.ts";
import { isOver } from "./progress.ts";
import { duration } from "./readable.ts";
import { safe } from "./table.ts";
import { explain, warn } from "./views/explain.ts";

/** How long a second Ctrl-C is waited for. */
const SECOND_THOUGHT_MS = 2_000;
/** How much of the build's end is shown when it failed. */
const LAST_LINES = 25;

/**
 * Shows a deployment until it is over and answers the exit code: one line that changes on a terminal, plain lines
 * otherwise, the address at the end. Ctrl-C leaves it going (130); a second one cancels it.
 */
export async function followDeployment(id: string, context: CliContext, verbose: boolean): Promise<number> {
  const leaving = new AbortController();
  const screen = new DeploymentScreen(context.io, context.paintErr, verbose);
  const wish = { cancel: false };
  using _interrupt = context.io.onInterrupt(() => interrupted(id, context, screen, leaving, wish));
  const log = readDeploymentLog(context.box, id, leaving.signal, (line) => screen.line(line));
  try {
    const last = await shownToEnd(id, context, screen, leaving.signal);
    if (!last) return EXIT.cancelled;
    // The log's last lines may still be on their way; a stream that does not end holds nobody up.
    await Promise.race([log, Bun.sleep(1_000)]);
    screen.close(last);
    return await conclude(last, context, screen, verbose, wish.cancel);
  } finally {
    leaving.abort();
    screen.clear();
  }
}

async function shownToEnd(
  id: string,
  { box }: CliContext,
  screen: DeploymentScreen,
  signal: AbortSignal,
): Promise<Deployment | null> {
  const onBroken = () => screen.note("The connection broke; the deployment goes on, and so do we.");
  for await (const deployment of watchDeployment(box, id, { signal, onBroken })) {
    screen.show(deployment);
    if (isOver(deployment)) return deployment;
  }
  return null;
}

/** First Ctrl-C: leave, unless a second one follows that means it. */
function interrupted(
  id: string,
  { io, box }: CliContext,
  screen: DeploymentScreen,
  leaving: AbortController,
  wish: { cancel: boolean },
): void {
  if (screen.interrupts++ === 0) {
    screen.note(`The deployment goes on; look again with: diplo deployments:info ${id}`);
    if (!io.terminal.err) return leaving.abort();
    screen.note("Ctrl-C again cancels it.");
    setTimeout(() => wish.cancel || leaving.abort(), SECOND_THOUGHT_MS).unref();
  } else if (!wish.cancel) {
    wish.cancel = true;
    screen.note("Cancelling …");
    box.json({ method: "POST", path: `/deployments/${id}/cancel`, json: {} }).catch(() => leaving.abort());
  } else leaving.abort();
}

async function conclude(
  last: Deployment,
  context: CliContext,
  screen: DeploymentScreen,
  verbose: boolean,
  byUs: boolean,
): Promise<number> {
  const { io, paintErr } = context;
  if (last.status === "success") return celebrate(last, context);
  if (last.status === "cancelled") {
    io.err("Cancelled; the old release goes on serving.\n");
    return byUs ? EXIT.cancelled : EXIT.failed;
  }
  if (last.status === "superseded") {
    io.err("A newer deployment of this app took its place.\n");
    return EXIT.failed;
  }
  // What the explanation rests on says more than the build's end, and repeats it where the build failed.
  if (!verbose && !last.error?.evidence.length)
    for (const line of screen.lastLines(LAST_LINES)) io.err(`${paintErr("dim", "│")} ${line}\n`);
  io.err(last.error ? `\n${explain(last.error, paintErr)}` : "The deployment failed.\n");
  io.err(await stillServing(last, context));
  return EXIT.failed;
}

/** What the visitors of the app see now: the first thing a person wonders about after a failure. */
async function stillServing(last: Deployment, { box }: CliContext): Promise<string> {
  const ref = refOf(last);
  const app = await box.json<App>({ method: "GET", path: `/apps/${pathSegment(ref)}` }).catch(() => null); // Only an addition to what was told.
  return app?.release && app.status === "running" ? `${ref} v${app.release} goes on serving.\n` : "";
}

const refOf = ({ app, environment }: Deployment): string => joinRef(app, environment);

async function celebrate(last: Deployment, { io, box, paintErr }: CliContext): Promise<number> {
  const ref = refOf(last);
  const { urls } = await box.json<App>({ method: "GET", path: `/apps/${pathSegment(ref)}` });
  const took = Date.parse(last.finished_at ?? last.created_at) - Date.parse(last.created_at);
  io.err(`${paintErr("green", "✓")} ${ref} v${last.release} is live (${duration(took)})\n`);
  for (const warning of last.warnings) io.err(`\n${warn(warning, paintErr)}`);
  if (last.trigger === "user") io.err(await notStarted(ref, box));
  for (const url of urls) io.out(`${url}\n`);
  return EXIT.ok;
}

/** Processes that the app has and nobody wants yet: a worker is there from its Procfile on, and runs when it is asked for. */
async function notStarted(ref: string, box: CliContext["box"]): Promise<string> {
  const path = `/apps/${pathSegment(ref)}/formation`;
  const processes = await box
    .json<{ process: string; quantity: number }[]>({ method: "GET", path })
    .catch(() => []); // Only an addition to what was told.
  const idle = processes.filter(({ quantity }) => quantity === 0).map(({ process }) => process);
  if (idle.length === 0) return "";
  const wanted = idle.map((process) => `${process}=1`).join(" ");
  return `Not started: ${safe(idle.join(", "))}. To start: diplo ps:scale -a ${ref} ${safe(wanted)}\n`;
}

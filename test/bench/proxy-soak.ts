/**
 * A soak of the data plane: mixed load with every answer compared, and a verdict.
 *
 *   npm run bench -- proxy-soak [seconds = 600]
 *
 * All along the release is switched, 200 times, and certificates change, 40 times. Then, in turn: rolling restarts of the
 * workers, hand-overs to a new version, pushes that end in the middle: nothing may fail. A calm time, in which memory and
 * descriptors must be flat. Killed workers: only what was in flight in them may fail, and only then.
 */
import { SoakLoad, soakApp } from "./proxy/soak-load.ts";
import { SoakPlane } from "./proxy/soak-plane.ts";

const SECONDS = Number(process.argv[2] ?? 600);
const ROUTE_CHANGES = 200;
const CERTIFICATE_CHANGES = 40;
type Part = readonly [from: number, to: number];
/** Shares of the time. */
const WHOLE: Part = [0, 1];
const TROUBLE: Part = [0.05, 0.4];
const CALM: Part = [0.45, 0.85];
const KILLING: Part = [0.86, 0.99];
const TICK_MS = 100;
/** In the part that is theirs. */
const RESTARTS = 12;
const HAND_OVERS = 5;
const ABORTED_PUSHES = 40;
const SAMPLE_EVERY_MS = 1_000;
const KILLS = 12;
/** What a killed worker had in hand has failed by then. */
const AFTERMATH_MS = 2_000;
/** Requests, sockets and streams that are open at any time. */
const IN_FLIGHT = 23;
/** Over the calm time. */
const GROWTH = 0.1;

interface Sample {
  at: number;
  rssMb: number;
  descriptors: number;
}

const apps = ["a", "b", "c"].map(soakApp);
const plane = await SoakPlane.start(apps.map(({ port }) => port!));
const done = { routes: 0, certificates: 0, restarts: 0, handOvers: 0, abortedPushes: 0, kills: 0 };
const samples: Sample[] = [];
const faults: string[] = [];
let lastKill = Number.NEGATIVE_INFINITY;
let [lost, lostAtOnce] = [0, 0];

const load = new SoakLoad(plane.http, plane.https, (what) => {
  if (performance.now() - lastKill <= AFTERMATH_MS) lostAtOnce++;
  else {
    lost++;
    console.error(`${new Date().toISOString()} ${(share() * SECONDS).toFixed(1)} s: ${what}`, done);
  }
});
load.start();
const begun = performance.now();
const share = () => (performance.now() - begun) / (SECONDS * 1000);
const within = ([from, to]: Part) => share() >= from && share() < to;

/** So often, and only in that part of the time. */
interface Regular {
  everyMs: number;
  part: Part;
  last: number;
  act(): Promise<void>;
}

const everyMs = (times: number, [from, to] = WHOLE) => ((to - from) * SECONDS * 1000) / times;
const regulars: Regular[] = [
  { everyMs: everyMs(ROUTE_CHANGES), part: WHOLE, last: begun, act: () => count("routes", plane.routes()) },
  {
    everyMs: everyMs(CERTIFICATE_CHANGES),
    part: WHOLE,
    last: begun,
    act: () => count("certificates", plane.certificates()),
  },
  {
    everyMs: everyMs(RESTARTS, TROUBLE),
    part: TROUBLE,
    last: begun,
    act: async () => count("restarts", plane.restartWorkers()),
  },
  {
    everyMs: everyMs(HAND_OVERS, TROUBLE),
    part: TROUBLE,
    last: begun,
    act: () => count("handOvers", plane.handOver()),
  },
  {
    everyMs: everyMs(ABORTED_PUSHES, TROUBLE),
    part: TROUBLE,
    last: begun,
    act: () => count("abortedPushes", plane.abortedPush()),
  },
  {
    everyMs: SAMPLE_EVERY_MS,
    part: CALM,
    last: begun,
    act: async () => void samples.push({ at: share(), ...(await plane.footprint()) }),
  },
  { everyMs: Math.max(AFTERMATH_MS, everyMs(KILLS, KILLING)), part: KILLING, last: begun, act: kill },
];

while (share() < 1) {
  for (const regular of regulars) {
    if (!within(regular.part) || performance.now() - regular.last < regular.everyMs) continue;
    regular.last = performance.now();
    await regular.act().catch((error) => faults.push(`${error}`));
  }
  await Bun.sleep(TICK_MS);
}
await load.stop();
await judge();

async function count(what: keyof typeof done, work: Promise<void> | void): Promise<void> {
  done[what]++;
  await work;
}

async function kill(): Promise<void> {
  lastKill = performance.now();
  await count("kills", plane.killWorker());
}

/** By how much of its beginning the value grew over the calm time, by the line that fits best. */
function growth(value: (sample: Sample) => number): number {
  const n = samples.length;
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, each) => sum + of(each), 0) / n;
  const [x, y] = [mean(({ at }) => at), mean(value)];
  const slope =
    samples.reduce((sum, each) => sum + (each.at - x) * (value(each) - y), 0) /
    samples.reduce((sum, each) => sum + (each.at - x) ** 2, 0);
  return (slope * (CALM[1] - CALM[0])) / y;
}

async function judge(): Promise<void> {
  // What ends in order takes a moment to be forgotten.
  await Bun.sleep(3_000);
  const state = await plane.state();
  const open = Object.values(state.in_flight).reduce((sum, each) => sum + each, 0);
  const [memory, descriptors] = [growth(({ rssMb }) => rssMb), growth(({ descriptors }) => descriptors)];
  await plane.stop();
  for (const app of apps) await app.stop(true);
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  console.log({ seconds: SECONDS, ...load.counts, ...done });
  for (const [problem, times] of load.problems) console.log(`${times} × ${problem}`);
  const verdicts: [what: string, good: boolean, figure: string][] = [
    ["nothing fails but what a killed worker had in hand", lost === 0, `${lost} failed`],
    [
      "a killed worker loses only what was in flight",
      lostAtOnce <= done.kills * IN_FLIGHT,
      `${lostAtOnce} in ${done.kills}`,
    ],
    ["every change is taken", faults.length === 0, faults[0] ?? "all"],
    ["memory is flat", memory < GROWTH, percent(memory)],
    ["descriptors are flat", descriptors < GROWTH, percent(descriptors)],
    ["nothing is left open", open === 0, `${open}`],
  ];
  for (const [what, good, figure] of verdicts) console.log(`${good ? "✔" : "✘"} ${what} (${figure})`);
  process.exit(verdicts.every(([, good]) => good) ? 0 : 1);
}

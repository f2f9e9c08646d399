/**
 * The data plane beside nginx, HAProxy and Caddy, on loopback: one worker each on one core, backend and generator on the
 * other, rounds in turn, medians. Prints CPU against nginx first; requests per second saturate at the load side.
 *
 *   npm run bench -- proxy [--seconds 2] [--rounds 3] [scenario …]
 *
 * All of it takes about ten minutes. Needs wrk, curl, openssl and nginx; who else is not installed is left out.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./figures.ts";
import { CONTESTANTS, type Contestant, prepare } from "./proxy/contestants.ts";
import { figuresOfDisturbance } from "./proxy/disturbance.ts";
import { cpuSeconds, pssMb } from "./proxy/pinned.ts";
import { figuresOfRecovery } from "./proxy/recovery.ts";
import { type Scenario, scenarios } from "./proxy/scenarios.ts";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
/** What comes first is not measured: the first seconds of a new kind of load compile hot code. */
const WARM_UP_S = 2;

interface Figures {
  cpu: number[];
  rate: number[];
  p50: number[];
  p99: number[];
  pss: number[];
}

const directory = await mkdtemp(join(tmpdir(), "proxy-bench-"));
const bench = await prepare(directory);
const running: Contestant[] = [];
const wanted = (name: string) => positionals.length === 0 || positionals.some((each) => name.includes(each));
const shown = (value: number, digits = 2) => (Number.isNaN(value) ? "–" : value.toFixed(digits));

try {
  const plain = await startAll(false);
  const logging = await startAll(true);
  const results: [Scenario, Map<string, Figures>][] = [];
  for (const scenario of (await scenarios(directory)).filter(({ name }) => wanted(name))) {
    const contestants = scenario.logging === true ? logging : plain;
    const figures = await compare(scenario, contestants);
    results.push([scenario, figures]);
    console.error(line(scenario, figures, contestants));
  }
  printRatios(results);
  printDetails(results);
  if (wanted("disturbance")) console.log(await figuresOfDisturbance(plain));
  if (wanted("recovery")) console.log(await figuresOfRecovery());
} finally {
  for (const contestant of running) await contestant.stop();
  await bench.stop();
  await rm(directory, { recursive: true, force: true });
}

async function startAll(logging: boolean): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const [name, start] of CONTESTANTS) {
    try {
      const contestant = await start(bench, logging);
      if (contestant === undefined) console.error(`${name} is not installed: left out`);
      else started.push(contestant);
    } catch (error) {
      console.error(`${name}${logging ? " with an access log" : ""} does not start: left out (${error})`);
    }
  }
  running.push(...started);
  return started;
}

async function compare(scenario: Scenario, contestants: Contestant[]): Promise<Map<string, Figures>> {
  const all = new Map<string, Figures>();
  for (const { name } of contestants) all.set(name, { cpu: [], rate: [], p50: [], p99: [], pss: [] });
  for (let round = -1; round < ROUNDS; round++)
    for (const contestant of contestants) {
      const figures = round < 0 ? undefined : all.get(contestant.name);
      await measure(scenario, contestant, figures).catch((error) =>
        console.error(`${scenario.name}, ${contestant.name}: ${error}`),
      );
    }
  return all;
}

async function measure(scenario: Scenario, contestant: Contestant, figures?: Figures): Promise<void> {
  const { pids } = contestant;
  let before = cpuSeconds(pids);
  let startedAt = performance.now();
  const load = await scenario.run(contestant, figures === undefined ? WARM_UP_S : SECONDS, () => {
    before = cpuSeconds(pids);
    startedAt = performance.now();
  });
  const cpu = (await cpuSeconds(pids)) - (await before);
  if (load.problem !== undefined) console.error(`${scenario.name}, ${contestant.name}: ${load.problem}`);
  if (figures === undefined) return;
  if (load.count === 0) throw new Error("nothing came through");
  figures.cpu.push((cpu / load.count) * scenario.per);
  figures.rate.push(load.count / ((performance.now() - startedAt) / 1000));
  if (load.p50) figures.p50.push(load.p50);
  if (load.p99) figures.p99.push(load.p99);
  figures.pss.push(await pssMb(pids));
}

function ratio(figures: Map<string, Figures>, name: string, to: string): number {
  const [one, other] = [figures.get(name)?.cpu ?? [], figures.get(to)?.cpu ?? []];
  return one.length === 0 || other.length === 0 ? Number.NaN : median(one) / median(other);
}

function p99(figures: Map<string, Figures>, name: string): number {
  const of = figures.get(name)?.p99 ?? [];
  return of.length === 0 ? Number.NaN : median(of);
}

function line(scenario: Scenario, figures: Map<string, Figures>, contestants: Contestant[]): string {
  const each = contestants.map(({ name }) => `${name} ${shown(ratio(figures, name, "nginx"))}`);
  return `${scenario.name}: ${each.join(", ")}`;
}

function table(head: string[], rows: string[][]): void {
  console.log(`| ${head.join(" | ")} |\n|${head.map(() => "---").join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  console.log();
}

/** CPU against nginx, less is better. */
function printRatios(results: [Scenario, Map<string, Figures>][]): void {
  const rows = results.map(([{ name, goal }, figures]) => [
    name,
    shown(ratio(figures, "diplo", "nginx")),
    goal === undefined ? "" : `≤ ${goal}`,
    shown(ratio(figures, "haproxy", "nginx")),
    shown(ratio(figures, "caddy", "nginx")),
    shown(ratio(figures, "diplo", "caddy")),
    shown(p99(figures, "diplo")),
    shown(p99(figures, "nginx")),
  ]);
  const head = ["CPU against nginx", "diplo", "goal", "HAProxy", "Caddy", "diplo against Caddy"];
  table([...head, "p99 ms diplo", "nginx"], rows);
}

function printDetails(results: [Scenario, Map<string, Figures>][]): void {
  const rows = results.flatMap(([{ name, unit }, figures]) =>
    [...figures].map(([who, { cpu, rate, p50, p99, pss }]) => [
      name,
      who,
      cpu.length === 0
        ? "–"
        : `${shown(median(cpu))} (${shown(Math.min(...cpu))}–${shown(Math.max(...cpu))})`,
      unit,
      rate.length === 0 ? "–" : shown(median(rate), median(rate) < 100 ? 1 : 0),
      p50.length === 0 ? "" : shown(median(p50)),
      p99.length === 0 ? "" : shown(median(p99)),
      pss.length === 0 ? "–" : shown(Math.max(...pss), 0),
    ]),
  );
  table(["scenario", "proxy", "CPU-seconds", "for", "per second", "p50 ms", "p99 ms", "PSS MB"], rows);
}

/**
 * Compares a subject with rivals and limits, fairly on a busy machine: sides take turns in short rounds, each ratio is taken
 * within a round, and CPU time counts, because a process that has to wait for its core loses wall time and not CPU time.
 *
 * A side is anything that can do a number of operations. In process that is a loop; over HTTP it is a load generator in another process,
 * with `cpuSeconds` reading the server's own CPU time (`cpuSecondsOf(pid)`), so that the generator's is not counted.
 * Timings never fail a bench; a wrong answer does.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

export interface Side {
  readonly name: string;
  /** Does exactly this many operations, one loop of its own per side, so that no call is shared between sides. */
  run(operations: number): unknown;
  /** CPU seconds used so far by the process that does the work; this process unless said otherwise. */
  cpuSeconds?(): number;
}

/** What to reach, printed beside the figure. */
export interface Reach {
  /** CPU nanoseconds per operation. */
  readonly cpuNs?: number;
  /** A ratio of CPU times to the named rival. */
  readonly ratioTo?: Readonly<Record<string, number>>;
  /** A ratio of CPU times to the fastest of the named rivals, whichever that turns out to be. */
  readonly ratioToBestOf?: { readonly names: readonly string[]; readonly ratio: number };
}

export interface Comparison {
  readonly title: string;
  readonly subject: Side;
  /** What the subject is held against, in the same run: rivals, or a limit written by hand. */
  readonly rivals?: readonly Side[];
  /** Asks all sides for answers before anything is timed. @returns what is wrong; empty when nothing is */
  verify(): readonly string[] | Promise<readonly string[]>;
  readonly reach?: Reach;
  /** Timed rounds per side; 15 unless said otherwise. */
  readonly rounds?: number;
  /** How long a round aims to be, after a warm-up that finds the number of operations. */
  readonly roundSeconds?: number;
  /** A fixed number of operations per round, instead of finding one. */
  readonly operations?: number;
}

interface Round {
  readonly cpuNs: number;
  readonly wallNs: number;
}

/** Verifies, warms up, times in alternating rounds and prints. A wrong answer is printed, nothing is timed, and the process ends with 1. */
export async function compare(comparison: Comparison): Promise<void> {
  const { title, subject, rivals = [], rounds = 15 } = comparison;
  console.log(`\n${title}`);
  const wrong = await comparison.verify();
  if (wrong.length > 0) {
    for (const line of wrong.slice(0, 10)) console.log(`  WRONG ANSWER: ${line}`);
    process.exitCode = 1;
    return;
  }

  const sides = [subject, ...rivals];
  const operations: number[] = [];
  for (const side of sides) operations.push(await warmUp(side, comparison));

  const timed = sides.map((): Round[] => []);
  for (let round = 0; round < rounds; round += 1) {
    // Every other round runs backwards, so that no side always comes after the same one.
    const order = round % 2 === 0 ? [...sides.keys()] : [...sides.keys()].reverse();
    for (const index of order) timed[index]!.push(await time(sides[index]!, operations[index]!));
  }
  print(comparison, sides, timed);
}

/** CPU seconds (user and system, all threads) that another process has used. Linux only. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks; utime and stime are the 12th and 13th fields behind it, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** CPU seconds used so far by everything on this machine, and those a hypervisor gave to other machines. Linux only. */
export function machineCpuSeconds(): number {
  // "cpu  user nice system idle iowait irq softirq steal", in ticks of 10 ms over all cores.
  const ticks = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = ticks;
  return (user + nice + system + steal) / 100;
}

/** Prints what the figures depend on. Once per bench file. */
export function printMachine(): void {
  const load = loadavg().map((value) => value.toFixed(2));
  console.log(
    [
      `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
      `load ${load.join(' ')}`,
      `Node ${process.version}`,
      `commit ${commit()}`,
    ].join(' · '),
  );
}

function commit(): string {
  try {
    const args = ['--no-optional-locks', 'describe', '--always', '--dirty'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'none';
  }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function time(side: Side, operations: number): Promise<Round> {
  const cpuSeconds = side.cpuSeconds?.bind(side) ?? ownCpuSeconds;
  const cpuBefore = cpuSeconds();
  const wallBefore = process.hrtime.bigint();
  await side.run(operations);
  const wallNs = Number(process.hrtime.bigint() - wallBefore);
  return { cpuNs: ((cpuSeconds() - cpuBefore) * 1e9) / operations, wallNs: wallNs / operations };
}

/** Runs a side until a round of it takes its time, and three such rounds more. */
async function warmUp(side: Side, { operations, roundSeconds = 0.2 }: Comparison): Promise<number> {
  let count = operations ?? 100;
  if (operations === undefined) {
    for (;;) {
      const seconds = ((await time(side, count)).wallNs * count) / 1e9;
      if (seconds >= roundSeconds / 2) break;
      count *= 2;
    }
  }
  for (let extra = 0; extra < 3; extra += 1) await side.run(count);
  return count;
}

function print({ reach, rounds = 15 }: Comparison, sides: readonly Side[], timed: readonly Round[][]): void {
  const width = Math.max(...sides.map(({ name }) => name.length));
  for (const [index, side] of sides.entries()) {
    const cpu = timed[index]!.map(({ cpuNs }) => cpuNs).sort((a, b) => a - b);
    const wall = timed[index]!.map(({ wallNs }) => wallNs).sort((a, b) => a - b);
    const facts = [
      `CPU ${duration(quantile(cpu, 0.5))} (${duration(quantile(cpu, 0.1))}…${duration(quantile(cpu, 0.9))})`,
      `wall ${duration(quantile(wall, 0.5))}`,
      index > 0
        ? againstSubject(timed[0]!, timed[index]!, reach?.ratioTo?.[side.name])
        : judge(quantile(cpu, 0.5), reach?.cpuNs, ' ns CPU'),
    ];
    console.log(`  ${side.name.padEnd(width)}  ${facts.filter((fact) => fact !== '').join(' · ')}`);
  }
  if (reach?.ratioToBestOf !== undefined) printBest(reach.ratioToBestOf, sides, timed);
  console.log(`  per operation; median (10th…90th percentile) of ${rounds} alternating rounds`);
}

function printBest(
  { names, ratio }: NonNullable<Reach['ratioToBestOf']>,
  sides: readonly Side[],
  timed: readonly Round[][],
): void {
  const median = (index: number): number =>
    quantile(
      timed[index]!.map(({ cpuNs }) => cpuNs).sort((a, b) => a - b),
      0.5,
    );
  const [best] = [...sides.keys()]
    .filter((index) => names.includes(sides[index]!.name))
    .sort((a, b) => median(a) - median(b));
  if (best === undefined) return;
  console.log(`  best rival: ${sides[best]!.name} · ${againstSubject(timed[0]!, timed[best]!, ratio)}`);
}

function againstSubject(
  subject: readonly Round[],
  rival: readonly Round[],
  reach: number | undefined,
): string {
  const ratios = subject.map(({ cpuNs }, at) => cpuNs / rival[at]!.cpuNs).sort((a, b) => a - b);
  const ratio = quantile(ratios, 0.5);
  const spread = `${quantile(ratios, 0.1).toFixed(2)}…${quantile(ratios, 0.9).toFixed(2)}`;
  return `subject takes ${ratio.toFixed(2)}× of this (${spread}) ${judge(ratio, reach, '×')}`.trimEnd();
}

/** Says whether a figure is at most what was to be reached; nothing where nothing was. */
export function judge(actual: number, reach: number | undefined, unit: string): string {
  return reach === undefined ? '' : `[reach ${reach}${unit}: ${actual <= reach ? 'met' : 'MISSED'}]`;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.round((sorted.length - 1) * share)] ?? NaN;
}

export function duration(ns: number): string {
  if (ns < 1e3) return `${ns.toFixed(1)} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

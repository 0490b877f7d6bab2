/** A fault that is caused on purpose, and the record of it: its seed, what was done when, and what came of it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';

/** `CHAOS=full`, which `npm run test:chaos` sets: as often and as long as is promised. Otherwise short enough for every change. */
export const IS_FULL = process.env['CHAOS'] === 'full';

/** How often or how long; CHAOS_ROUNDS says another number of rounds. */
export const scaled = (short: number, full: number): number => (IS_FULL ? full : short);
export const rounds = (short: number, full: number): number =>
  Number(process.env['CHAOS_ROUNDS'] ?? scaled(short, full));

/** A time limit of the service, in milliseconds. The short form runs where others work too, and allows for it. */
export const bound = (ms: number): number => scaled(5, 1) * ms;

/** The seed of all random choices; CHAOS_SEED repeats a run's. */
export const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Source: mulberry32, Tommy Ettinger. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How long things took, in milliseconds. */
export class Durations {
  private readonly all: number[] = [];

  add(ms: number): void {
    this.all.push(ms);
  }

  get max(): number {
    return this.all.reduce((most, ms) => Math.max(most, ms), 0);
  }

  summary(): { count: number; p50: number; p99: number; max: number } {
    const sorted = [...this.all].sort((a, b) => a - b);
    const at = (share: number) => round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0);
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

const round = (ms: number): number => Math.round(ms * 10) / 10;

/** So many of so many: a zero says nothing without what it is out of. */
export const outOf = (count: number, of: number) => ({ count, of });
type Figure = number | string | boolean | readonly number[] | ReturnType<typeof outOf> | object;

const FOLDER = join('.reports', 'chaos');

/** One test of a promise, named as docs/reliability.md names it (`R1`, `T18`). */
export class Drill {
  readonly random = randomFrom(SEED);
  private readonly startedAt = Date.now();
  private readonly began = performance.now();
  private readonly faults: { atMs: number; what: string }[] = [];

  constructor(
    private readonly name: string,
    private readonly title: string,
  ) {}

  /** Notes that something was broken, or mended, at this moment. */
  fault(what: string): void {
    this.faults.push({ atMs: Math.round(performance.now() - this.began), what });
  }

  /** Prints what was done and what came of it, and writes it to .reports/chaos/. */
  report(
    counts: Readonly<Record<string, Figure>>,
    durations: Readonly<Record<string, Durations>> = {},
  ): void {
    const durationsMs = Object.fromEntries(
      Object.entries(durations)
        .map(([name, each]) => [name, each.summary()] as const)
        .filter(([, { count }]) => count > 0),
    );
    const record = {
      name: this.name,
      title: this.title,
      form: IS_FULL ? 'full' : 'short',
      seed: SEED,
      startedAt: new Date(this.startedAt).toISOString(),
      tookMs: Math.round(performance.now() - this.began),
      machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`,
      commit: commit(),
      faults: this.faults,
      counts,
      durationsMs,
    };
    mkdirSync(FOLDER, { recursive: true });
    const file = `${this.name}-${this.title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`;
    writeFileSync(join(FOLDER, file), `${JSON.stringify(record, undefined, 2)}\n`);
    process.stdout.write(`${printed(record)}\n`);
  }
}

function printed(record: {
  name: string;
  title: string;
  form: string;
  seed: number;
  faults: readonly { atMs: number; what: string }[];
  counts: Readonly<Record<string, Figure>>;
  durationsMs: Readonly<Record<string, ReturnType<Durations['summary']>>>;
}): string {
  const { name, title, form, seed, faults, counts, durationsMs } = record;
  const shown = faults.slice(0, 40).map(({ atMs, what }) => `${(atMs / 1000).toFixed(1)} s ${what}`);
  const more = faults.length > shown.length ? [`and ${faults.length - shown.length} more`] : [];
  return [
    `${name} ${title} (${form}, CHAOS_SEED=${seed})`,
    ...(shown.length > 0 ? [`  faults  ${[...shown, ...more].join(', ')}`] : []),
    ...Object.entries(counts).map(([what, figure]) => `  ${what}: ${told(figure)}`),
    ...Object.entries(durationsMs).map(
      ([what, { count, p50, p99, max }]) =>
        `  ${what}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms of ${count}`,
    ),
  ].join('\n');
}

function told(figure: Figure): string {
  if (typeof figure !== 'object') return String(figure);
  if ('count' in figure && 'of' in figure) return `${String(figure.count)} of ${String(figure.of)}`;
  return JSON.stringify(figure);
}

function commit(): string {
  try {
    const args = ['--no-optional-locks', 'describe', '--always', '--dirty'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'none';
  }
}

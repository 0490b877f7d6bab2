import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, HttpClient } from './http-client.js';

/** How often each fault happens; CHAOS_ROUNDS says another number for a long run. */
export const rounds = (short: number): number => Number(process.env['CHAOS_ROUNDS'] ?? short);

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

/** One line that says what was done and what came of it. */
export function report(name: string, figures: Record<string, unknown>): void {
  process.stdout.write(`chaos ${JSON.stringify({ name, seed: SEED, ...figures })}\n`);
}

const ENVIRONMENTS = ['development', 'staging', 'production'];

/** A write that was answered with 2xx. */
interface Acknowledged {
  readonly mark: string;
  readonly key: string;
  readonly environment: string;
  readonly version: number;
}

/** Writers and evaluators against one service, and the memory of everything that was acknowledged. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** Answers to writes that were no success, by status, and broken connections as `broken`. */
  readonly refusals = new Map<number | 'broken', number>();
  readonly badRefusals: unknown[] = [];
  evaluations = 0;
  readonly failedEvaluations: unknown[] = [];
  reads = 0;
  readonly failedReads: unknown[] = [];
  slowestMs = 0;
  lastAcknowledgedAt = 0;
  private isOver = false;
  private readonly workers: Promise<void>[] = [];

  constructor(
    private readonly client: HttpClient,
    private readonly token: string,
  ) {}

  private readonly name = randomUUID().slice(0, 8);

  /** Makes one flag in every environment for each of `writers`. */
  async prepare(writers: number): Promise<void> {
    for (let index = 0; index < writers; index += 1) {
      const body = {
        key: `w${index}`,
        name: `Writer ${index}`,
        flag_type: 'percentage',
        rollout_percentage: 1,
        is_enabled: true,
      };
      const { status } = await this.client.ask('/flags', { method: 'POST', body, token: this.token });
      if (status !== 201) throw new Error(`preparing: ${status}`);
    }
  }

  /** Each changes its own flag, in one environment after the other, as fast as it is answered. */
  write(writers: number): this {
    for (let index = 0; index < writers; index += 1) this.workers.push(this.writer(`w${index}`));
    return this;
  }

  /** `clients` that evaluate without a pause worth the name. */
  evaluate(clients: number, pauseMs = 2): this {
    for (let index = 0; index < clients; index += 1) this.workers.push(this.evaluator(index, pauseMs));
    return this;
  }

  /** `clients` that read what people look at. */
  read(clients: number, pauseMs = 5): this {
    for (let index = 0; index < clients; index += 1) this.workers.push(this.reader(pauseMs));
    return this;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.workers);
  }

  /** Waits until a write that was sent after this moment is acknowledged. @returns how long that took, in milliseconds */
  async untilAcknowledged(patienceMs = 20_000): Promise<number> {
    const from = performance.now();
    while (performance.now() - from < patienceMs) {
      if (this.lastAcknowledgedAt > from) return this.lastAcknowledgedAt - from;
      await sleep(5);
    }
    throw new Error(
      `No write was acknowledged within ${patienceMs} ms: ${JSON.stringify([...this.refusals])}`,
    );
  }

  private async writer(key: string): Promise<void> {
    for (let count = 1; !this.isOver; count += 1) {
      const environment = ENVIRONMENTS[count % ENVIRONMENTS.length] ?? '';
      const mark = `${key} ${this.name}#${count}`;
      const sentAt = performance.now();
      try {
        const answer = await this.client.ask(`/flags/${key}?environment_key=${environment}`, {
          method: 'PUT',
          token: this.token,
          body: { rollout_percentage: (count % 10_000) / 100 + (count % 100 === 0 ? 0.01 : 0), reason: mark },
        });
        this.slowestMs = Math.max(this.slowestMs, answer.durationMs);
        if (answer.status === 200) {
          this.acknowledged.push({ mark, key, environment, version: answer.body.version as number });
          this.lastAcknowledgedAt = sentAt;
        } else await this.refused(answer);
      } catch {
        this.count('broken');
        await sleep(20);
      }
    }
  }

  private async refused(answer: Answer): Promise<void> {
    this.count(answer.status);
    if (answer.status !== 503 || !/^\d+$/.test(String(answer.headers['retry-after'])))
      this.badRefusals.push({
        status: answer.status,
        body: answer.body,
        retryAfter: answer.headers['retry-after'],
      });
    await sleep(20);
  }

  private count(outcome: number | 'broken'): void {
    this.refusals.set(outcome, (this.refusals.get(outcome) ?? 0) + 1);
  }

  private async evaluator(index: number, pauseMs: number): Promise<void> {
    for (let count = 0; !this.isOver; count += 1) {
      const environment = ENVIRONMENTS[count % ENVIRONMENTS.length] ?? '';
      this.evaluations += 1;
      try {
        const { status, body, durationMs } = await this.client.ask(
          `/evaluate/w0?environment_key=${environment}&user_id=user-${index}-${count}`,
        );
        this.slowestMs = Math.max(this.slowestMs, durationMs);
        if (status !== 200 || body.reason_code !== 'SPLIT') this.failedEvaluations.push({ status, body });
      } catch (error) {
        this.failedEvaluations.push(String(error));
      }
      await sleep(pauseMs);
    }
  }

  private async reader(pauseMs: number): Promise<void> {
    while (!this.isOver) {
      this.reads += 1;
      try {
        const { status, body } = await this.client.ask('/flags?environment_key=development', {
          token: this.token,
        });
        if (status !== 200 || !Array.isArray(body)) this.failedReads.push({ status, body });
      } catch (error) {
        this.failedReads.push(String(error));
      }
      await sleep(pauseMs);
    }
  }
}

export interface Verdict {
  readonly lost: string[];
  readonly twice: string[];
  readonly gaps: string[];
  readonly entries: number;
  readonly chain: unknown;
}

/** Compares what was acknowledged with what is there: audit, revisions, versions. */
export async function verdictOf(client: HttpClient, token: string, load: Load): Promise<Verdict> {
  const entries = await auditOf(client, token);
  const seen = new Map<string, number>();
  for (const { reason } of entries) if (reason) seen.set(reason, (seen.get(reason) ?? 0) + 1);
  const marks = load.acknowledged.map(({ mark }) => mark);
  const lost = marks.filter((mark) => !seen.has(mark));
  const gaps: string[] = [];
  const environments = (await client.ask('/environments', { token })).body as {
    key: string;
    revision: number;
  }[];
  for (const { key, revision } of environments) {
    const numbers = entries.map(({ revisions }) => revisions[key]).filter((n) => n !== undefined);
    const expected = Array.from({ length: revision }, (_, index) => index + 1);
    if (JSON.stringify(numbers) !== JSON.stringify(expected))
      gaps.push(
        `${key}: revision ${revision}, audited ${numbers.length}: ${String(expected.find((n, i) => numbers[i] !== n))}`,
      );
  }
  const latest = new Map<string, Acknowledged>();
  for (const write of load.acknowledged) latest.set(`${write.key} ${write.environment}`, write);
  for (const { key, environment, version, mark } of latest.values()) {
    const { body } = await client.ask(`/flags/${key}?environment_key=${environment}`, { token });
    if (!(body.version >= version)) lost.push(`${mark}: version ${String(body.version)} of ${version}`);
  }
  const { body: chain } = await client.ask('/audit/verify', { token });
  return {
    lost,
    twice: [...seen].filter(([mark, count]) => mark.startsWith('w') && count > 1).map(([mark]) => mark),
    gaps,
    entries: entries.length,
    chain: { valid: chain.valid, checked: chain.checked },
  };
}

/** The whole audit log, oldest first. */
async function auditOf(
  client: HttpClient,
  token: string,
): Promise<{ reason: string | null; position: number; revisions: Record<string, number> }[]> {
  const all = [];
  for (let before = ''; ;) {
    const { status, body } = await client.ask(`/audit?limit=200${before}`, { token });
    if (status !== 200) throw new Error(`audit: ${status} ${JSON.stringify(body)}`);
    if (body.length === 0) return all.reverse();
    all.push(...body);
    before = `&before=${body.at(-1).position}`;
  }
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Durations, outOf } from './drill.js';
import type { Answer, HttpClient } from './http-client.js';
import { referenceMurmur3 } from './reference-murmur3.js';

const ENVIRONMENTS = ['development', 'staging', 'production'];

/** A write that was answered with 2xx. */
interface Acknowledged {
  readonly mark: string;
  readonly key: string;
  readonly environment: string;
  readonly version: number;
}

/**
 * Writers, readers and evaluators against one service or several, and the memory of everything that was acknowledged. Each
 * worker keeps to one of them.
 */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** Answers to writes that were no success, by status, and broken connections as `broken`. */
  readonly refusals = new Map<number | 'broken', number>();
  readonly badRefusals: unknown[] = [];
  evaluations = 0;
  /** Those without an answer, with another status than 200, with another answer than is right, or from a state before the last. */
  readonly failedEvaluations: unknown[] = [];
  reads = 0;
  readonly failedReads: unknown[] = [];
  readonly durations = {
    evaluations: new Durations(),
    writes: new Durations(),
    'refused writes': new Durations(),
    reads: new Durations(),
  };
  lastAcknowledgedAt = 0;
  private readonly clients: readonly HttpClient[];
  private readonly name = randomUUID().slice(0, 8);
  private isOver = false;
  private readonly workers: Promise<void>[] = [];

  constructor(
    clients: HttpClient | readonly HttpClient[],
    private readonly token: string,
  ) {
    this.clients = [clients].flat();
  }

  /** The longest that any request took, in milliseconds. */
  get slowestMs(): number {
    return Math.max(...Object.values(this.durations).map(({ max }) => max));
  }

  /** For a report. */
  get counts() {
    return {
      ...(this.evaluations > 0 && {
        'failed or wrong evaluations': outOf(this.failedEvaluations.length, this.evaluations),
      }),
      ...(this.reads > 0 && { 'failed reads': outOf(this.failedReads.length, this.reads) }),
      'acknowledged writes': this.acknowledged.length,
      'refused writes': Object.fromEntries(this.refusals),
    };
  }

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
      const { status } = await this.of(0).ask('/flags', { method: 'POST', body, token: this.token });
      if (status !== 201) throw new Error(`preparing: ${status}`);
    }
  }

  /** Each changes its own flag, in one environment after the other, as fast as it is answered. */
  write(writers: number): this {
    for (let index = 0; index < writers; index += 1) this.workers.push(this.writer(index));
    return this;
  }

  /** `clients` that evaluate without a pause worth the name. */
  evaluate(clients: number, pauseMs = 2): this {
    for (let index = 0; index < clients; index += 1) this.workers.push(this.evaluator(index, pauseMs));
    return this;
  }

  /** `clients` that read what people look at. */
  read(clients: number, pauseMs = 5): this {
    for (let index = 0; index < clients; index += 1) this.workers.push(this.reader(index, pauseMs));
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
      if (this.lastAcknowledgedAt > from) return performance.now() - from;
      await sleep(5);
    }
    throw new Error(
      `No write was acknowledged within ${patienceMs} ms: ${JSON.stringify([...this.refusals])}`,
    );
  }

  private of(worker: number): HttpClient {
    return this.clients[worker % this.clients.length]!;
  }

  private async writer(index: number): Promise<void> {
    const key = `w${index}`;
    for (let count = 1; !this.isOver; count += 1) {
      const environment = ENVIRONMENTS[count % ENVIRONMENTS.length] ?? '';
      const mark = `${key} ${this.name}#${count}`;
      const sentAt = performance.now();
      try {
        const answer = await this.of(index).ask(`/flags/${key}?environment_key=${environment}`, {
          method: 'PUT',
          token: this.token,
          body: { rollout_percentage: (count % 10_000) / 100 + (count % 100 === 0 ? 0.01 : 0), reason: mark },
        });
        if (answer.status === 200) {
          this.durations.writes.add(answer.durationMs);
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
    this.durations['refused writes'].add(answer.durationMs);
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
    const versions = new Map<string, number>();
    for (let count = 0; !this.isOver; count += 1) {
      const environment = ENVIRONMENTS[count % ENVIRONMENTS.length] ?? '';
      const user = `user-${index}-${count}`;
      this.evaluations += 1;
      try {
        const { status, body, durationMs } = await this.of(index).ask(
          `/evaluate/w0?environment_key=${environment}&user_id=${user}`,
        );
        this.durations.evaluations.add(durationMs);
        const wentBack = body.flag_version < (versions.get(environment) ?? 0);
        if (status !== 200 || !isRight(user, body) || wentBack)
          this.failedEvaluations.push({ status, body, wentBack });
        versions.set(environment, body.flag_version as number);
      } catch (error) {
        this.failedEvaluations.push(String(error));
      }
      await sleep(pauseMs);
    }
  }

  private async reader(index: number, pauseMs: number): Promise<void> {
    while (!this.isOver) {
      this.reads += 1;
      try {
        const { status, body, durationMs } = await this.of(index).ask('/flags?environment_key=development', {
          token: this.token,
        });
        this.durations.reads.add(durationMs);
        if (status !== 200 || !Array.isArray(body)) this.failedReads.push({ status, body });
      } catch (error) {
        this.failedReads.push(String(error));
      }
      await sleep(pauseMs);
    }
  }
}

/** Whether an answer about `w0` is what its own reason says, and the bucket in it the user's. */
function isRight(user: string, body: { enabled: unknown; reason_code: unknown; reason: string }): boolean {
  const [, bucket, place, percentage] =
    /^User bucket (\d+) is (within|outside) ([\d.]+)% rollout$/.exec(body.reason) ?? [];
  const expected = referenceMurmur3(Buffer.from(`${user}:w0`), 0) % 10_000;
  const isOn = expected < Math.round(Number(percentage) * 100);
  return (
    body.reason_code === 'SPLIT' &&
    Number(bucket) === expected &&
    body.enabled === isOn &&
    (place === 'within') === isOn
  );
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

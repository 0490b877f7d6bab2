import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ExposureQueue } from '../../sdk/src/exposure-queue.js';
import type { Drop, ExposureOptions, ExposureSink, TrackedEvent } from '../../sdk/src/exposures.js';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 10, 21, 9, 0, 0);

/** A sink that takes, refuses or leaves hanging, as it is told. */
class TestSink implements ExposureSink {
  readonly batches: TrackedEvent[][] = [];
  mood: 'take' | 'fail' | 'refuse' | 'hang' = 'take';
  attempts = 0;

  get taken(): TrackedEvent[] {
    return this.batches.flat();
  }

  send(events: readonly TrackedEvent[]): Promise<void> {
    this.attempts += 1;
    if (this.mood === 'hang') return new Promise(() => undefined);
    if (this.mood === 'fail') return Promise.reject(new Error('not now'));
    if (this.mood === 'refuse')
      return Promise.reject(Object.assign(new Error('never'), { retryable: false }));
    this.batches.push([...events]);
    return Promise.resolve();
  }
}

let sink: TestSink;
let drops: Drop[];
beforeEach(() => {
  jest.useFakeTimers({ now: START });
  sink = new TestSink();
  drops = [];
});
afterEach(() => {
  jest.useRealTimers();
});

const queueOf = (options: Partial<ExposureOptions> = {}): ExposureQueue =>
  new ExposureQueue({ sink, ...options }, { onDrop: (drop) => drops.push(drop), random: () => 1 });

const seen = (unit: string, variant = 'on', flagKey = 'new-checkout') => ({
  flagKey,
  variant,
  unit,
  flagVersion: 3,
  revision: 42,
});

describe('the exposure queue', () => {
  it('sends in batches, when one is full or has waited for the interval', async () => {
    const queue = queueOf({ batchSize: 3, flushIntervalMs: 1_000 });
    for (const unit of ['a', 'b', 'c', 'd']) queue.expose(seen(unit));
    await jest.advanceTimersByTimeAsync(0);
    expect(sink.batches[0]).toHaveLength(3);
    queue.expose(seen('e'));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sink.taken.map((event) => (event as { unit: string }).unit)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(queue.counts).toEqual({ recorded: 5, repeated: 0, delivered: 5, dropped: 0, queued: 0 });
  });

  it('says who saw what, and when, under an id of its own', async () => {
    const queue = queueOf();
    queue.expose(seen('alice'));
    queue.track({ name: 'bought', unit: 'alice', value: 12.5, attributes: { sku: 'x' } });
    await queue.flush();
    expect(sink.taken).toEqual([
      { type: 'exposure', id: expect.any(String), at: START, ...seen('alice') },
      {
        type: 'metric',
        id: expect.any(String),
        at: START,
        name: 'bought',
        unit: 'alice',
        value: 12.5,
        attributes: { sku: 'x' },
      },
    ]);
    const ids = sink.taken.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('tells of a flag, variant and unit once in an hour', async () => {
    const queue = queueOf();
    for (let times = 0; times < 1_000; times += 1) queue.expose(seen('alice'));
    queue.expose(seen('bob'));
    queue.expose(seen('alice', 'off'));
    queue.expose(seen('alice', 'on', 'new-price'));
    jest.setSystemTime(START + HOUR_MS - 1);
    queue.expose(seen('alice'));
    await queue.flush();
    expect(sink.taken).toHaveLength(4);
    jest.setSystemTime(START + HOUR_MS);
    queue.expose(seen('alice'));
    await queue.flush();
    expect(sink.taken).toHaveLength(5);
    expect(queue.counts).toMatchObject({ recorded: 5, repeated: 1_000 });
  });

  it('never tells metrics once only', async () => {
    const queue = queueOf();
    for (let times = 0; times < 3; times += 1) {
      queue.track({ name: 'bought', unit: 'alice', value: undefined, attributes: {} });
    }
    await queue.flush();
    expect(sink.taken).toHaveLength(3);
  });

  it('comes again with the same ids after a failure, later each time, and loses nothing', async () => {
    sink.mood = 'fail';
    const queue = queueOf({ flushIntervalMs: 1_000 });
    for (const unit of ['a', 'b']) queue.expose(seen(unit));
    const waits: number[] = [];
    let before = Date.now();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      while (sink.attempts < attempt) await jest.advanceTimersByTimeAsync(100);
      waits.push(Date.now() - before);
      before = Date.now();
    }
    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000, 8_000]);
    expect(queue.counts).toMatchObject({ delivered: 0, dropped: 0, queued: 2 });
    sink.mood = 'take';
    await jest.advanceTimersByTimeAsync(60_000);
    expect(queue.counts).toMatchObject({ delivered: 2, dropped: 0, queued: 0 });
  });

  it('takes a sink that does not answer for one that fails', async () => {
    sink.mood = 'hang';
    const queue = queueOf({ flushIntervalMs: 1_000, sendTimeoutMs: 2_000 });
    queue.expose(seen('a'));
    await jest.advanceTimersByTimeAsync(1_000);
    sink.mood = 'take';
    await jest.advanceTimersByTimeAsync(2_000 + 1_000);
    expect(queue.counts).toMatchObject({ delivered: 1, queued: 0 });
  });

  it('holds at most its capacity, counts what it gives up and says so, without saying it each time', async () => {
    sink.mood = 'fail';
    const queue = queueOf({ capacity: 10, batchSize: 5, flushIntervalMs: 1_000 });
    for (let unit = 0; unit < 25; unit += 1) queue.expose(seen(`unit-${unit}`));
    expect(queue.counts).toMatchObject({ recorded: 10, queued: 10, dropped: 15 });
    expect(drops).toEqual([{ reason: 'full', events: 1, total: 1 }]);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(drops).toEqual([
      { reason: 'full', events: 1, total: 1 },
      { reason: 'full', events: 14, total: 15 },
    ]);
    sink.mood = 'take';
    await jest.advanceTimersByTimeAsync(60_000);
    // What found no place was not remembered, so it is told now.
    queue.expose(seen('unit-24'));
    await queue.flush();
    expect(sink.taken.map((event) => (event as { unit: string }).unit)).toContain('unit-24');
    expect(queue.counts).toMatchObject({ delivered: 11, queued: 0 });
  });

  it('holds 10,000 unless it is told otherwise', () => {
    sink.mood = 'fail';
    const queue = queueOf();
    for (let unit = 0; unit < 10_001; unit += 1) queue.expose(seen(`unit-${unit}`));
    expect(queue.counts).toMatchObject({ queued: 10_000, dropped: 1 });
  });

  it('gives up what is refused for good, and goes on with the rest', async () => {
    sink.mood = 'refuse';
    const queue = queueOf();
    queue.expose(seen('a'));
    await queue.flush();
    expect(drops).toEqual([{ reason: 'refused', events: 1, total: 1 }]);
    sink.mood = 'take';
    queue.expose(seen('b'));
    await queue.flush();
    expect(queue.counts).toMatchObject({ delivered: 1, dropped: 1, queued: 0 });
  });

  it('says soon what is refused later, and never under the name of another reason', async () => {
    sink.mood = 'refuse';
    const queue = queueOf({ flushIntervalMs: 1_000 });
    queue.expose(seen('a'));
    await queue.flush();
    queue.expose(seen('b'));
    await queue.flush();
    expect(drops).toEqual([{ reason: 'refused', events: 1, total: 1 }]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(drops.slice(1)).toEqual([{ reason: 'refused', events: 1, total: 2 }]);
  });

  it('comes again after a failure while it is being closed', async () => {
    sink.mood = 'fail';
    const queue = queueOf();
    for (const unit of ['a', 'b', 'c']) queue.expose(seen(unit));
    const closing = queue.close();
    await jest.advanceTimersByTimeAsync(0);
    expect(sink.attempts).toBe(1);
    sink.mood = 'take';
    await jest.advanceTimersByTimeAsync(2_000);
    await closing;
    expect(queue.counts).toMatchObject({ delivered: 3, dropped: 0, queued: 0 });
    expect(drops).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is closed for everybody at the same time', async () => {
    sink.mood = 'hang';
    const queue = queueOf();
    queue.expose(seen('a'));
    const told: number[] = [];
    const both = [queue.close(1_000), queue.close(1_000)].map((closing) =>
      closing.then(() => told.push(drops.length)),
    );
    await jest.advanceTimersByTimeAsync(1_000);
    await Promise.all(both);
    expect(told).toEqual([1, 1]);
  });

  it.each([
    [{ sink: undefined as never }, 'exposures.sink'],
    [{ sink: {} as never }, 'exposures.sink'],
    [{ capacity: 0 }, 'exposures.capacity'],
    [{ capacity: Infinity }, 'exposures.capacity'],
    [{ batchSize: 0 }, 'exposures.batchSize'],
    [{ batchSize: Number.NaN }, 'exposures.batchSize'],
    [{ batchSize: 1.5 }, 'exposures.batchSize'],
    [{ flushIntervalMs: -1 }, 'exposures.flushIntervalMs'],
    [{ sendTimeoutMs: 'soon' as never }, 'exposures.sendTimeoutMs'],
  ])('refuses the options %p by their name', (options, path) => {
    expect(() => queueOf(options)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        problems: [{ path, message: expect.any(String) }],
      }),
    );
  });

  it('delivers everything when it is closed, and takes nothing more', async () => {
    const queue = queueOf({ batchSize: 2 });
    for (const unit of ['a', 'b', 'c', 'd', 'e']) queue.expose(seen(unit));
    await queue.close();
    expect(sink.taken).toHaveLength(5);
    queue.expose(seen('f'));
    expect(queue.counts).toMatchObject({ delivered: 5, dropped: 1, queued: 0 });
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each(['fail', 'hang'] as const)(
    'is closed in time with a sink that would %s, and says what is lost',
    async (mood) => {
      sink.mood = mood;
      const queue = queueOf();
      for (const unit of ['a', 'b', 'c']) queue.expose(seen(unit));
      const closing = queue.close(1_000);
      await jest.advanceTimersByTimeAsync(1_000);
      await closing;
      expect(drops).toEqual([{ reason: 'closed', events: 3, total: 3 }]);
      expect(queue.counts).toMatchObject({ delivered: 0, dropped: 3, queued: 0 });
    },
  );

  it('forgets whom it has told of before it remembers too many', () => {
    const queue = queueOf({ capacity: 300_000, batchSize: 300_000 });
    for (let unit = 0; unit < 100_001; unit += 1) queue.expose(seen(`unit-${unit}`));
    queue.expose(seen('unit-0'));
    expect(queue.counts).toMatchObject({ recorded: 100_002, repeated: 0 });
  });
});

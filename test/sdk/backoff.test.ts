/** How long is waited between attempts, on a clock that the test moves. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Backoff } from '../../sdk/src/backoff.js';
import { createServerClient, type FetchResponse } from '../../sdk/src/index.js';
import { retryAfterMs } from '../../sdk/src/http.js';

describe('waits', () => {
  it('are from half a second to thirty, whatever the dice say', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (dice) => {
        let at = 0;
        const backoff = new Backoff({ random: () => dice[at++ % dice.length] ?? 0 });
        for (const _ of dice) {
          const wait = backoff.next();
          expect(wait).toBeGreaterThanOrEqual(500);
          expect(wait).toBeLessThanOrEqual(30_000);
        }
      }),
    );
  });

  it('may double with each failure, and begin anew after a success', () => {
    const backoff = new Backoff({ random: () => 1 });
    const waits = Array.from({ length: 8 }, () => backoff.next());
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(backoff.failures).toBe(8);
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });

  it('are not the same for those who failed together', () => {
    const waits = Array.from({ length: 100 }, () => new Backoff().next());
    expect(new Set(waits).size).toBeGreaterThan(90);
  });
});

it.each([
  ['120', 120_000],
  [' 0', 0],
  ['soon', undefined],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  [null, undefined],
])('reads Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header)).toBe(expected);
});

describe('a client on a clock of its own', () => {
  afterEach(() => void jest.useRealTimers());

  const refusing = (status: number, headers: Record<string, string> = {}): FetchResponse => ({
    ok: false,
    status,
    headers: { get: (name) => headers[name] ?? null },
    body: null,
    text: () => Promise.resolve('{}'),
  });

  /** The moments of the attempts, in milliseconds, while nothing answers as it should. */
  async function attemptsWithin(ms: number, answer: () => Promise<FetchResponse>): Promise<number[]> {
    jest.useFakeTimers();
    const start = Date.now();
    const moments: number[] = [];
    const client = createServerClient({
      baseUrl: 'http://127.0.0.1:1',
      apiKey: 'k',
      environment: 'production',
      logger: { warn: () => undefined, error: () => undefined },
      fetch: () => {
        moments.push(Date.now() - start);
        return answer();
      },
    });
    await jest.advanceTimersByTimeAsync(ms);
    const ending = client.close();
    await jest.advanceTimersByTimeAsync(0);
    await ending;
    return moments;
  }

  const gaps = (moments: readonly number[]): number[] =>
    moments.slice(1).map((moment, index) => moment - moments[index]!);

  it('tries again after half a second to thirty, for ever', async () => {
    const waits = gaps(await attemptsWithin(3_600_000, () => Promise.reject(new TypeError('fetch failed'))));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(waits[0]).toBeLessThanOrEqual(1_000);
    expect(waits.length).toBeGreaterThan(100);
    expect(waits.length).toBeLessThan(1_000);
  });

  it('gives a request ten seconds, even of a fetch that does not end when told to', async () => {
    const waits = gaps(await attemptsWithin(60_000, () => new Promise(() => undefined)));
    expect(waits.length).toBeGreaterThan(1);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(10_500);
  });

  it('waits a minute or two after its key was refused', async () => {
    const waits = gaps(await attemptsWithin(3_600_000, () => Promise.resolve(refusing(401))));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(120_000);
  });

  it('does not come again before Retry-After', async () => {
    const answer = () => Promise.resolve(refusing(429, { 'retry-after': '90' }));
    const waits = gaps(await attemptsWithin(3_600_000, answer));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(90_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(91_000);
  });

  it('counts by timers, so that a jump of the clock changes nothing', async () => {
    const moments = await attemptsWithin(10_000, () => {
      jest.setSystemTime(Date.now() + 86_400_000);
      return Promise.reject(new TypeError('fetch failed'));
    });
    const waits = gaps(moments).map((gap) => gap - 86_400_000);
    expect(waits.length).toBeGreaterThan(2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
  });
});

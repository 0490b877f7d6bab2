import { Writable } from 'node:stream';
import { describe, expect, it, jest } from '@jest/globals';
import { SPEC_VERSION } from '../../src/core/index.js';
import { RulesetText } from '../../src/evaluation/ruleset-text.js';
import { EnvironmentFeed } from '../../src/stream/environment-feed.js';
import { EventStream, type StreamListener } from '../../src/stream/event-stream.js';
import { StreamAdmission } from '../../src/stream/stream-admission.js';
import { sendStream } from '../../src/stream/stream-response.js';

/** Takes bytes only when it is told to. */
class Slow extends Writable {
  taken = '';
  private waiting: (() => void)[] = [];

  constructor(public isOpen = false) {
    super({ highWaterMark: 1 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.taken += chunk.toString();
      done();
    };
    if (this.isOpen) take();
    else this.waiting.push(take);
  }

  /** Takes what waits, and what comes. */
  async release(): Promise<void> {
    this.isOpen = true;
    while (this.waiting.length > 0) {
      this.waiting.shift()?.();
      await new Promise(setImmediate);
    }
  }

  get events(): string[] {
    return [...this.taken.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name!);
  }
}

const stateOf = (revision: number, text = '', stamp = `s${revision}`) => ({
  environmentId: 'e',
  stamp,
  ruleset: RulesetText.of({
    spec_version: SPEC_VERSION,
    environment_key: 'x',
    revision,
    flags: [{ key: 'a', text, revision }],
    segments: [],
  }),
});

function given({ slowReaderBytes = 10_000, stallMs = 1_000, limits = { changes: 100, bytes: 1e9 } } = {}) {
  const feed = new EnvironmentFeed(stateOf(1), limits);
  const told: string[] = [];
  let isAllowed = true;
  const listener: StreamListener = {
    onResync: (reason) => told.push(reason),
    onSettled: () => told.push('settled'),
    onCut: () => told.push('cut'),
    onEnd: () => told.push('end'),
  };
  const begin = (sink: Slow, from = undefined as EnvironmentFeed['position'] | undefined) => {
    const stream = new EventStream(
      sink,
      feed,
      { isStillAllowed: () => isAllowed },
      { heartbeatMs: 60_000, stallMs, slowReaderBytes },
      listener,
      { from, resync: undefined },
    );
    stream.begin();
    return stream;
  };
  return { feed, told, begin, refuse: () => (isAllowed = false) };
}

const turn = () => new Promise(setImmediate);

describe('a client that reads slowly', () => {
  it('gets every change in order when it reads again', async () => {
    const { feed, begin, told } = given();
    const sink = new Slow();
    begin(sink);
    for (let revision = 2; revision <= 20; revision += 1) feed.move(stateOf(revision));
    expect(sink.taken).toBe('');
    expect(told).toEqual([]);
    await sink.release();
    // The ruleset was made when the client could take it, so nothing before it is sent.
    const revisions = [...sink.taken.matchAll(/"revision":(\d+),"flags"/g)].map(([, number]) =>
      Number(number),
    );
    expect(revisions.at(-1)).toBe(20);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(told).toEqual(['settled']);
  });

  it('is cut when more waits than may, and whoever reads is not', async () => {
    const { feed, begin, told } = given();
    const [slow, quick] = [new Slow(), new Slow(true)];
    begin(slow);
    begin(quick);
    await turn();
    for (let revision = 2; revision <= 12; revision += 1) {
      feed.move(stateOf(revision, 'x'.repeat(1_500)));
      await turn();
      await turn();
    }
    expect(slow.destroyed).toBe(true);
    expect(quick.destroyed).toBe(false);
    expect(quick.events).toHaveLength(12);
    expect(told.filter((each) => each === 'cut')).toHaveLength(1);
    expect(told.filter((each) => each === 'end')).toHaveLength(1);
  });

  it('is cut when it takes nothing for too long, but not while it takes something', async () => {
    const { feed, begin, told } = given({ stallMs: 1_000 });
    feed.move(stateOf(2, 'x'.repeat(1_000_000)));
    const sink = new Slow();
    const stream = begin(sink);
    stream.tick(performance.now() + 900);
    expect(sink.destroyed).toBe(false);
    await sink.release();
    stream.tick(performance.now() + 900);
    expect([sink.events, sink.destroyed]).toEqual([['ruleset'], false]);
    sink.isOpen = false;
    feed.move(stateOf(3, 'y'.repeat(1_000_000)));
    stream.tick(performance.now() + 900);
    expect(sink.destroyed).toBe(false);
    stream.tick(performance.now() + 1_100);
    expect(sink.destroyed).toBe(true);
    expect(told).toEqual(['settled', 'cut', 'end']);
  });

  it('gets the ruleset anew when what it needs next is kept no more', async () => {
    const { feed, begin, told } = given({ limits: { changes: 2, bytes: 1e9 } });
    const sink = new Slow();
    begin(sink, feed.position);
    for (let revision = 2; revision <= 9; revision += 1) feed.move(stateOf(revision));
    await sink.release();
    expect(sink.events).toEqual(['resync', 'ruleset']);
    expect(told).toEqual(['history_left', 'settled']);
  });

  it('is not told that it is over, for it would have to read first', () => {
    const { begin, refuse, told } = given();
    const sink = new Slow();
    const stream = begin(sink);
    refuse();
    stream.tick(performance.now());
    expect(sink.destroyed).toBe(true);
    expect(told).toEqual(['settled', 'end']);
  });
});

it('ends for a connection that broke before it began', () => {
  const { begin, told } = given();
  const sink = new Slow();
  sink.destroy();
  begin(sink);
  expect(told).toEqual(['settled', 'end']);
});

it('ends for an environment that was deleted before it began', async () => {
  const { feed, begin, told } = given();
  const sink = new Slow(true);
  feed.close();
  begin(sink);
  await turn();
  expect(sink.events).toEqual(['closed']);
  expect(told).toEqual(['settled', 'end']);
});

describe('admission', () => {
  const admission = (limits = {}) =>
    new StreamAdmission({ streams: 3, perCaller: 2, rulesetsSending: 1, ...limits });
  const person = (id: string) => ({ id, isClient: false });
  const page = (id: string) => ({ id, isClient: true });
  const FULL = 'as many streams as it can serve';
  /** @returns how many are let in until one is refused */
  const room = (enter: (n: number) => unknown): number => {
    for (let n = 0; ; n += 1)
      try {
        enter(n);
      } catch {
        return n;
      }
  };

  it('gives a place back once, however often it is said', () => {
    const places = admission();
    const leave = places.enter(person('a'), 'here');
    places.enter(person('a'), 'here');
    expect(() => places.enter(person('a'), 'here')).toThrow('2 streams');
    leave();
    leave();
    places.enter(person('a'), 'here');
    expect(() => places.enter(person('a'), 'here')).toThrow('2 streams');
    places.enter(person('a'), 'there');
    expect(() => places.enter(person('c'), 'here')).toThrow(FULL);
  });

  it('keeps places for servers and people, whatever comes with client keys', () => {
    const places = admission({ streams: 100, perCaller: 10 });
    const taken = room((n) => places.enter(page(`key-${n}`), `net-${n}`));
    expect(taken).toBe(80);
    expect(room((n) => places.enter(person(`user-${n}`), 'here'))).toBe(20);
  });

  it('gives one client key a part of the places, and each network that brings it a part of that', () => {
    const places = admission({ streams: 100, perCaller: 10 });
    expect(room(() => places.enter(page('key'), 'one'))).toBe(2);
    expect(() => places.enter(page('key'), 'one')).toThrow('2 streams');
    expect(room((n) => places.enter(page('key'), `net-${n}`))).toBe(48);
    expect(() => places.enter(page('key'), 'another')).toThrow(FULL);
    places.enter(page('other key'), 'one');
  });

  it('sends so many rulesets at a time', () => {
    const places = admission();
    const over = places.sendRuleset();
    expect(() => places.sendRuleset()).toThrow(FULL);
    over();
    places.sendRuleset();
  });
});

it('gives its place back when it cannot begin', () => {
  const giveUp = jest.fn();
  const broken = {
    writeHead: () => {
      throw new Error('gone');
    },
  };
  const begin = jest.fn();
  expect(() => sendStream({ method: 'GET' } as never, broken as never, { begin, giveUp })).toThrow('gone');
  expect(giveUp).toHaveBeenCalledTimes(1);
  expect(begin).not.toHaveBeenCalled();
});

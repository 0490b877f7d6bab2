/** Reading server-sent events, however their bytes arrive. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventStreamParser, type ServerSentEvent } from '../../sdk/src/sse.js';

const utf8 = new TextEncoder();

function read(chunks: readonly Uint8Array[]) {
  const events: ServerSentEvent[] = [];
  const retries: number[] = [];
  const parser = new EventStreamParser({
    onEvent: (event) => events.push(event),
    onRetry: (ms) => retries.push(ms),
  });
  for (const chunk of chunks) parser.push(chunk);
  return { events, retries };
}

const event = (data: string, type = 'message', lastEventId = '') => ({ type, data, lastEventId });

/** A line of a field, without its ends. */
const line = (): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ''));

it.each([
  ['one event', 'data: a\n\n', [event('a')]],
  ['a type and an id', 'event: change\nid: 7-x\ndata: {}\n\n', [event('{}', 'change', '7-x')]],
  ['several lines of data', 'data: a\ndata:\ndata: b\n\n', [event('a\n\nb')]],
  ['no blank after the colon, and two', 'data:a\ndata:  b\n\n', [event('a\n b')]],
  [
    'lines that end as elsewhere',
    'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
    [event('a'), event('b'), event('c')],
  ],
  ['comments', ': hello\n:\n\ndata: a\n: within\n\n', [event('a')]],
  ['a field without a colon', 'data\ndata\n\n', [event('\n')]],
  ['fields that nobody knows', 'hello: world\ndata: a\n\n', [event('a')]],
  ['an event without data', 'event: change\n\ndata: a\n\n', [event('a')]],
  [
    'an id that stays',
    'id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n',
    [event('a', 'message', '1'), event('b', 'message', '1'), event('c')],
  ],
  ['an id with a zero in it', 'id: 1\0\ndata: a\n\n', [event('a')]],
  ['a mark at the beginning', '\uFEFFdata: a\n\n', [event('a')]],
  ['an end in the middle of an event', 'data: a\n\ndata: b\n', [event('a')]],
])('reads %s', (_, text, expected) => {
  expect(read([utf8.encode(text)]).events).toEqual(expected);
});

it('reads how long to wait, of digits only', () => {
  expect(read([utf8.encode('retry: 1840\n\nretry: soon\nretry:-5\n')]).retries).toEqual([1840]);
});

describe('wherever the bytes are cut', () => {
  it('reads the same events', () => {
    const ends = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ data: fc.array(line(), { minLength: 1, maxLength: 3 }), id: line(), end: ends }),
        ),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (wanted, sizes) => {
          const text = wanted
            .map(({ data, id, end }) =>
              [`id: ${id}`, ...data.map((each) => `data: ${each}`), ': comment', '', ''].join(end),
            )
            .join('');
          const bytes = utf8.encode(text);
          const chunks: Uint8Array[] = [];
          for (let at = 0; at < bytes.length;) {
            const size: number = sizes.next().value;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const whole = read([bytes]).events;
          expect(read(chunks).events).toEqual(whole);
          expect(whole.map(({ data }) => data)).toEqual(wanted.map(({ data }) => data.join('\n')));
        },
      ),
    );
  });

  it('reads a line of megabytes that comes in little pieces', () => {
    const data = 'x'.repeat(4_000_000);
    const bytes = utf8.encode(`data: ${data}\n\n`);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 1_400) chunks.push(bytes.subarray(at, at + 1_400));
    expect(read(chunks).events[0]?.data.length).toBe(data.length);
  });
});

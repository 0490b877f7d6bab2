import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventStreamParser } from '../../static/src/api/event-stream-parser.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the parser of event streams', () => {
  it('reads names, ids and data over several lines', () => {
    const events = new EventStreamParser().push(bytes('event: change\nid: 7-a\ndata: one\ndata: two\n\n'));
    expect(events).toEqual([{ name: 'change', id: '7-a', data: 'one\ntwo' }]);
  });

  it('passes over comments and events without data, and remembers the wanted delay', () => {
    const parser = new EventStreamParser();
    expect(parser.push(bytes(':\n\nretry: 1840\n\nevent: x\n\ndata: y\n\n'))).toEqual([
      { name: 'message', id: undefined, data: 'y' },
    ]);
    expect(parser.retryMs).toBe(1840);
  });

  it.each(['\n', '\r\n', '\r'])('takes %j for the end of a line', (end) => {
    const text = ['id: 1', 'data: a', '', 'data: b', '', ''].join(end);
    const parser = new EventStreamParser();
    expect([...parser.push(bytes(text)), ...parser.push(bytes('data'))].map(({ data }) => data)).toEqual([
      'a',
      'b',
    ]);
  });

  it('reads the same in whatever pieces the bytes come, within characters and line ends too', () => {
    const whole = bytes(':\r\n\r\nevent: change\r\nid: 3\r\ndata: {"name":"żółć 🏁"}\r\n\r\ndata: x\n\n');
    const expected = new EventStreamParser().push(whole);
    expect(expected).toHaveLength(2);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
        const parser = new EventStreamParser();
        const marks = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const events = marks.slice(1).flatMap((to, index) => parser.push(whole.slice(marks[index], to)));
        expect(events).toEqual(expected);
      }),
    );
  });
});

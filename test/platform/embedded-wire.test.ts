import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  errorResponse,
  notificationFrom,
  readReply,
  readyForQuery,
} from '../../src/platform/database/embedded/backend-messages.js';
import { BatchReader } from '../../src/platform/database/embedded/batch-reader.js';
import {
  FrontendSplitter,
  MalformedMessage,
  query,
  SYNC,
} from '../../src/platform/database/embedded/frontend-messages.js';
import { Listening } from '../../src/platform/database/embedded/listening.js';
import { sessionCommands } from '../../src/platform/database/embedded/session-commands.js';

function startedSplitter(): FrontendSplitter {
  const splitter = new FrontendSplitter();
  splitter.start();
  return splitter;
}

it('finds the same messages wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (texts, cuts) => {
        const sent = texts.map((text) => query(text.replaceAll('\0', '')));
        const bytes = Buffer.concat(sent);
        const edges = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
        const splitter = startedSplitter();
        const found: Buffer[] = [];
        edges.slice(1).forEach((edge, index) => {
          splitter.push(bytes.subarray(edges[index], edge));
          for (let message = splitter.next(); message; message = splitter.next()) found.push(message.bytes);
        });
        expect(found).toEqual(sent);
      },
    ),
  );
});

it.each([
  ['a negative length', Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff])],
  ['a length that does not even cover itself', Buffer.from([0x51, 0, 0, 0, 3])],
  ['a length beyond every limit', Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])],
])('refuses a message with %s', (_what, bytes) => {
  const splitter = startedSplitter();
  splitter.push(bytes);
  expect(() => splitter.next()).toThrow(MalformedMessage);
});

it('refuses a message of an unknown type', () => {
  const bytes = Buffer.from([0x7a, 0, 0, 0, 4]);
  expect(() => new BatchReader(1).read({ type: 0x7a, bytes })).toThrow(MalformedMessage);
});

it.each([
  ['LISTEN news', [{ kind: 'listen', channel: 'news' }]],
  [
    'listen "Big ""News"""; Unlisten OLD',
    [
      { kind: 'listen', channel: 'Big "News"' },
      { kind: 'unlisten', channel: 'old' },
    ],
  ],
  ['UNLISTEN *', [{ kind: 'unlisten all' }]],
  ['DISCARD ALL', [{ kind: 'unlisten all' }]],
  ['DISCARD PLANS', []],
  ['/* a ; */ -- ;\n LISTEN /* here */ news;', [{ kind: 'listen', channel: 'news' }]],
  ["SELECT 'x; LISTEN news'", []],
  ["SELECT E'\\'; LISTEN news; --'", []],
  ['SELECT $$; LISTEN news;$$, $a$; LISTEN $$ news; $a$', []],
  ['SELECT "; LISTEN news; "', []],
  ['SELECT listen FROM listeners', []],
  [
    'SAVEPOINT one; ROLLBACK TO one',
    [
      { kind: 'savepoint', name: 'one' },
      { kind: 'rollback to', name: 'one' },
    ],
  ],
  ['rollback work to savepoint "One"', [{ kind: 'rollback to', name: 'One' }]],
  ['ROLLBACK', [{ kind: 'rollback' }]],
  ['COMMIT; END; ABORT', [{ kind: 'commit' }, { kind: 'commit' }, { kind: 'rollback' }]],
  ['COPY t FROM STDIN', [{ kind: 'copy in' }]],
  ['COPY t TO STDOUT', []],
])('reads %j', (sql, commands) => {
  expect(sessionCommands(sql)).toEqual(commands);
});

describe('given a session that listens', () => {
  const after = (...steps: [sql: string, commits?: boolean][]) => {
    const listening = new Listening();
    for (const [sql, commits] of steps) {
      listening.note(sessionCommands(sql));
      if (commits !== undefined) listening.settle(commits);
    }
    return ['a', 'b'].filter((channel) => listening.hears(channel)).join('');
  };

  it.each([
    ['committed', [['LISTEN a', true]], 'a'],
    ['not committed yet', [['LISTEN a']], ''],
    ['rolled back', [['LISTEN a'], ['ROLLBACK', false]], ''],
    [
      'rolled back to a savepoint',
      [['LISTEN a'], ['SAVEPOINT s'], ['LISTEN b'], ['ROLLBACK TO s'], ['COMMIT', true]],
      'a',
    ],
    [
      'taken back',
      [
        ['LISTEN a; LISTEN b', true],
        ['UNLISTEN a', true],
      ],
      'b',
    ],
    ['taken back in vain', [['LISTEN a', true], ['UNLISTEN *'], ['ROLLBACK', false]], 'a'],
  ] satisfies [string, [string, boolean?][], string][])(
    'hears what was asked for and %s',
    (_what, steps, heard) => {
      expect(after(...steps)).toBe(heard);
    },
  );
});

it('takes notifications out of an answer and leaves the rest as it was', () => {
  const notification = Buffer.from('A\0\0\0\x0f\0\0\0\x2anews\0x\0');
  const error = errorResponse({ severity: 'ERROR', code: '42601', message: 'no' });
  const reply = readReply(Buffer.concat([notification, error, notification, readyForQuery('E')]));
  expect(reply.body).toEqual(Buffer.concat([error, readyForQuery('E')]));
  expect(reply.notifications).toEqual([notification, notification]);
  expect(reply).toMatchObject({ status: 'E', hasFailed: true, lastTag: undefined });
  expect(notificationFrom(notification, 7).readInt32BE(5)).toBe(7);
});

it('gives a batch once the client expects an answer, and not before', () => {
  const reader = new BatchReader(1);
  const describePortal = Buffer.from('D\0\0\0\x06P\0');
  expect(reader.read({ type: 0x44, bytes: describePortal })).toBeUndefined();
  expect(reader.read({ type: 0x48, bytes: Buffer.from('H\0\0\0\x04') })).toMatchObject({ isComplete: false });
  expect(reader.read({ type: 0x53, bytes: SYNC })).toMatchObject({ isComplete: true, messages: [SYNC] });
});

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyChange,
  parseSnapshot,
  SPEC_VERSION,
  type Ruleset,
  type RulesetChange,
} from '../../src/core/index.js';
import type { SnapshotDocument } from '../../src/flags/flag-snapshot.reader.js';
import { EnvironmentFeed } from '../../src/stream/environment-feed.js';
import { RulesetText, type ServedState } from '../../src/evaluation/ruleset-text.js';
import { streamIdOf } from '../../src/stream/stream-id.js';
import { anyText } from '../support/arbitraries.js';

type Thing = { key: string; value: unknown };

/** Few keys and few values, so that states share some, and odd ones among them. */
const things = (): fc.Arbitrary<Thing[]> =>
  fc
    .uniqueArray(
      fc.record({
        key: fc.oneof(fc.constantFrom('a', 'b', 'c', 'a-b', '10', '9', '__proto__'), anyText()),
        value: fc.oneof(fc.constantFrom(0, 1, null), fc.jsonValue({ maxDepth: 2 })),
      }),
      { maxLength: 12, selector: ({ key }) => key },
    )
    .map((list) => JSON.parse(JSON.stringify(list)) as Thing[]);

const inOrder = (list: readonly Thing[]): Thing[] => [...list].sort((a, b) => (a.key < b.key ? -1 : 1));

const documentOf = (revision: number, flags: Thing[], segments: Thing[], stamp = `s${revision}`) =>
  ({
    environmentId: 'e',
    stamp,
    ruleset: { spec_version: SPEC_VERSION, environment_key: 'x', revision, flags, segments },
  }) satisfies SnapshotDocument;

const served = ({ ruleset, ...named }: SnapshotDocument): ServedState => ({
  ...named,
  ruleset: RulesetText.of(ruleset),
});

const states = () => fc.array(fc.tuple(things(), things()), { minLength: 2, maxLength: 8 });

const bodyOf = (event: Buffer): unknown => JSON.parse(/\ndata: ([^\r\n]*)\n\n$/.exec(event.toString())![1]!);

const NO_LIMIT = { changes: 1000, bytes: 1e9 };

it('says the whole ruleset as it is, in the order of keys', () => {
  fc.assert(
    fc.property(things(), things(), (flags, segments) => {
      const { ruleset } = documentOf(7, flags, segments);
      const text = RulesetText.of(ruleset).json();
      expect(text).not.toMatch(/[\r\n]/);
      expect(JSON.parse(text)).toEqual({ ...ruleset, flags: inOrder(flags), segments: inOrder(segments) });
    }),
  );
});

it('gives, applied one after the other from any state on, exactly every later state', () => {
  fc.assert(
    fc.property(states(), (all) => {
      const documents = all.map(([flags, segments], index) => documentOf(index * 3, flags, segments));
      const feed = new EnvironmentFeed(served(documents[0]!), NO_LIMIT);
      const wholes = [JSON.parse(feed.rulesetJson().toString())];
      for (const document of documents.slice(1)) {
        feed.move(served(document));
        wholes.push(JSON.parse(feed.rulesetJson().toString()));
      }
      for (const [index, document] of documents.entries()) {
        let position = feed.positionOf(streamIdOf(served(document)))!;
        let ruleset = wholes[index];
        for (let at = index + 1; at < documents.length; at += 1) {
          const change = feed.after(position)!;
          ruleset = applyChange(ruleset, bodyOf(change.event) as RulesetChange);
          expect(JSON.stringify(ruleset)).toBe(JSON.stringify(wholes[at]));
          position = change.position;
        }
        expect(position).toEqual(feed.position);
        expect(feed.after(position)).toBeUndefined();
      }
    }),
  );
});

it('holds in a change what is new or different, and nothing that stayed', () => {
  fc.assert(
    fc.property(things(), things(), (before, now) => {
      const change = JSON.parse(
        RulesetText.of(documentOf(2, now, []).ruleset).changeSince(
          RulesetText.of(documentOf(1, before, []).ruleset),
        ),
      ) as RulesetChange;
      const old = new Map(before.map((thing) => [thing.key, JSON.stringify(thing)]));
      expect(change.flags).toEqual({
        put: inOrder(now).filter((thing) => old.get(thing.key) !== JSON.stringify(thing)),
        removed: inOrder(before)
          .map(({ key }) => key)
          .filter((key) => !now.some((thing) => thing.key === key)),
      });
      expect(change.segments).toEqual({ put: [], removed: [] });
    }),
  );
});

it('does not apply a change to a ruleset that it does not follow', () => {
  const ruleset = parseableRuleset(4);
  const change = {
    environment_key: 'x',
    prev_revision: 4,
    revision: 5,
    flags: { put: [], removed: [] },
    segments: { put: [], removed: [] },
  };
  expect(applyChange(ruleset, change)).toEqual({ ...ruleset, revision: 5 });
  expect(applyChange(ruleset, { ...change, prev_revision: 3 })).toBeUndefined();
  expect(applyChange(ruleset, { ...change, environment_key: 'y' })).toBeUndefined();
});

function parseableRuleset(revision: number) {
  const ruleset: Ruleset = {
    spec_version: SPEC_VERSION,
    environment_key: 'x',
    revision,
    flags: [],
    segments: [],
  };
  expect(parseSnapshot(ruleset).ok).toBe(true);
  return ruleset;
}

it('keeps no more changes than it may by count and by bytes, but always the last', () => {
  fc.assert(
    fc.property(
      states(),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 2_000 }),
      (all, changes, bytes) => {
        const documents = all.map(([flags, segments], index) => documentOf(index, flags, segments));
        const feed = new EnvironmentFeed(served(documents[0]!), { changes, bytes });
        for (const document of documents.slice(1)) feed.move(served(document));
        const kept = documents
          .slice(0, -1)
          .filter((document) => feed.positionOf(streamIdOf(served(document))));
        const size = kept.reduce(
          (sum, document) => sum + feed.after(feed.positionOf(streamIdOf(served(document)))!)!.event.length,
          0,
        );
        expect(kept.length).toBeGreaterThan(0);
        expect(kept).toEqual(documents.slice(-1 - kept.length, -1));
        expect(kept.length === 1 || (kept.length <= changes && size <= bytes)).toBe(true);
      },
    ),
  );
});

it.each([
  ['an earlier revision', documentOf(3, [], [])],
  ['the same revision with another stamp', documentOf(5, [], [], 'other')],
  ['another environment under the same key', { ...documentOf(6, [], []), environmentId: 'f' }],
  ['the same state with other things in it', documentOf(5, [{ key: 'a', value: 1 }], [])],
])('begins a new history at %s', (_, document) => {
  const [first, second] = [documentOf(4, [], []), documentOf(5, [], [])];
  const feed = new EnvironmentFeed(served(first), NO_LIMIT);
  feed.move(served(second));
  const before = feed.position;
  feed.move(served(document));
  expect(feed.positionOf(streamIdOf(served(first)))).toBeUndefined();
  expect(feed.after(before)).toBeUndefined();
  expect(feed.position.step).toBeGreaterThan(before.step);
  expect(feed.id).toBe(streamIdOf(served(document)));
});

it('does not move for a state that was only read anew', () => {
  const feed = new EnvironmentFeed(served(documentOf(5, [], [])), NO_LIMIT);
  const before = feed.position;
  feed.move(served(documentOf(5, [], [])));
  expect(feed.position).toBe(before);
});

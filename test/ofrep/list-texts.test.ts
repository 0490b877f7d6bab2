import { expect, it } from '@jest/globals';
import { evaluateAll } from '../../src/core/index.js';
import { ListTexts } from '../../src/ofrep/ofrep-list.js';
import { FlagTexts } from '../../src/ofrep/ofrep-text.js';
import { SendBuffers } from '../../src/ofrep/send-buffers.js';
import { compiledFrom, flagWire, rolloutWire } from '../support/builders.js';

const AFTER = Buffer.from('],"more":1}');

/** Every length of text there is within a word and beyond, and bytes of every kind: U+007F comes last in many words. */
const values = Array.from({ length: 40 }, (_, length) =>
  Array.from('\u007fé\u0000漢"😀\ud800\\').map((character) => character.repeat(length)),
).flat();

function listOf(count: number) {
  const flags = values.slice(0, count).map((value, at) => {
    const variants = [
      { key: 'on', value },
      { key: 'off', value: `off ${value}` },
    ];
    return flagWire(`f${at}`, {
      value_type: 'string',
      variants,
      default_serve: rolloutWire(`f${at}`, 5_000),
      version: at + 1,
    });
  });
  const compiled = compiledFrom(...flags);
  const counter = { count: 0 };
  const list = new ListTexts(compiled, undefined, new FlagTexts(true, () => counter));
  return { compiled, list, counted: counter };
}

it.each([0, 1, 2, values.length])('writes %d answers as JSON, whatever is in them', (count) => {
  const { compiled, list, counted } = listOf(count);
  const buffers = new SendBuffers();
  for (let user = 0; user < 20; user += 1) {
    const who = { targetingKey: `user-${user}` };
    const { body, buffer } = list.join(list.ask(who), AFTER, buffers);
    const { flags, more } = JSON.parse(body.toString()) as { flags: Record<string, unknown>[]; more: number };
    buffers.give(buffer);
    expect(more).toBe(1);
    expect(flags.map(({ key, value, variant }) => [key, value, variant])).toEqual(
      evaluateAll(compiled, who).map(({ flagKey, value, variant }) => [flagKey, value, variant]),
    );
  }
  expect(counted.count).toBe(20 * count);
});

it('has another digest for other answers, another order or another end, and the same for the same', () => {
  const { list } = listOf(40);
  const seed = [1, 2] as const;
  const digestFor = (user: string) => list.digest(list.ask({ targetingKey: user }), seed);
  const digests = new Set(Array.from({ length: 200 }, (_, user) => digestFor(`user-${user}`)));
  expect(digests.size).toBe(200);
  expect(digestFor('user-7')).toBe(digestFor('user-7'));
  const numbers = list.ask({ targetingKey: 'user-7' });
  const before = list.digest(numbers, seed);
  expect(list.digest(numbers, [1, 3])).not.toBe(before);
  expect(list.digest(numbers.toReversed(), seed)).not.toBe(before);
});

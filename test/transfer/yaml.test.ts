import { expect, it } from '@jest/globals';
import { fromFlagd } from '../../src/transfer/flagd-import.js';
import { readYaml } from '../../src/transfer/yaml.js';

const JSON_FILE = {
  $schema: 'https://flagd.dev/schema/v0/flags.json',
  flags: {
    banner: {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: {
        if: [{ and: [{ $ref: 'staff' }, { '==': [{ var: 'since' }, '2026-01-02'] }] }, 'on', null],
      },
    },
    'limit-2': { state: 'DISABLED', variants: { low: 10, high: 1.5e3 }, defaultVariant: 'low' },
  },
  $evaluators: { staff: { ends_with: [{ var: 'email' }, '@example.com'] } },
};

it('reads what people write for flagd as the same file in JSON', () => {
  const file = `
# The flags of the shop.
$schema: https://flagd.dev/schema/v0/flags.json
flags:
  banner:
    state: ENABLED
    variants: &switch
      on: true
      off: false
    defaultVariant: off
    targeting:
      if:
        - and:
            - $ref: staff
            - '==': [{ var: since }, 2026-01-02]
        - on
        - ~
  limit-2:
    state: DISABLED
    variants: { low: 10, high: 1.5e3 }
    defaultVariant: >-
      low
$evaluators:
  staff:
    ends_with: [{ var: email }, '@example.com']
`;
  expect(readYaml(file)).toEqual(JSON_FILE);
  expect(fromFlagd(readYaml(file))).toEqual(fromFlagd(JSON_FILE));
  expect(fromFlagd(readYaml(file)).refused).toEqual([]);
});

it.each([
  [
    'keys that look like something else',
    '1: a\ntrue: b\nno: c\n2026-01-02: d',
    { '1': 'a', true: 'b', no: 'c', '2026-01-02': 'd' },
  ],
  ['what is merged', 'a: &a { p: 1, q: 2 }\nb: { <<: *a, q: 3 }', { a: { p: 1, q: 2 }, b: { p: 1, q: 3 } }],
  ['JSON', '{"a": [1, "x", null], "b": {}}', { a: [1, 'x', null], b: {} }],
  ['a key of every object', '{"__proto__": {"x": 1}}', JSON.parse('{"__proto__": {"x": 1}}')],
  ['nothing', '', null],
])('reads %s', (_, text, value) => {
  expect(readYaml(text)).toEqual(value);
});

const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
for (const [at, name] of Array.from('bcdefghi').entries())
  laughs.push(`${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[at]!}`).join(', ')}]`);
it.each([
  ['a tab', 'a:\n\tb: 1', /Tabs .* at line 2, column 1$/],
  ['a list without an end', 'a: 1\nb: [1,\nc: 2', /at line 3, column 1$/],
  ['a key that is there twice', 'flags:\n  a: 1\n  b: 2\n  a: 3', /"a" is there twice at line 4, column 3$/],
  ['a type of its own', 'a: 1\nb: !!js/function x', /Unresolved tag.* at line 2, column 4$/],
  ['a key that is a list', '? [a, b]\n: x', /keys must be strings at line 1/],
  ['two documents', 'a: 1\n---\nb: 2', /multiple documents/],
  ['an anchor that is not there', 'a: 1\nb: *a', /no anchor 'a' before it at line 2, column 4$/],
  ['a circle', 'a: &a [1, *a]', /'a' is within itself at line 1, column 11$/],
  ['a few lines that stand for billions', laughs.join('\n'), /alias/],
  ['lists within lists', '['.repeat(200_000), /nested too deeply/],
  ['dashes within dashes', `${'- '.repeat(50_000)}x`, /nested too deeply/],
  [
    'maps within maps',
    `${Array.from({ length: 200 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')} x`,
    /nested too deeply/,
  ],
  ['more than anybody writes', `a: ${'x'.repeat(8 * 1024 * 1024)}`, /more than 8 MB/],
])('refuses %s, and says where', (_, text, message) => {
  expect(() => readYaml(text)).toThrow(message);
});

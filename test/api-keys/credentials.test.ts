import { expect, it } from '@jest/globals';
import { hashOfSecret, newSecret } from '../../src/api-keys/api-key-secret.js';
import { kindOfSecret, readCredentials } from '../../src/platform/access/credentials.js';
import { KEY_KINDS } from '../../src/platform/access/key-scope.js';

const SECRET = newSecret('server').secret;
const OTHER = newSecret('client').secret;

it.each([
  ['nothing', {}, { type: 'none' }],
  ['an empty key', { 'x-api-key': '  ' }, { type: 'none' }],
  ['another scheme', { authorization: 'Basic YTpi' }, { type: 'none' }],
  ['a token', { authorization: 'Bearer a.b.c' }, { type: 'token', token: 'a.b.c' }],
  ['a key', { 'x-api-key': SECRET }, { type: 'key', secret: SECRET }],
  ['a key as a bearer', { authorization: `bearer ${SECRET}` }, { type: 'key', secret: SECRET }],
  [
    'the same key twice',
    { 'x-api-key': SECRET, authorization: `Bearer ${SECRET}` },
    { type: 'key', secret: SECRET },
  ],
  ['two keys', { 'x-api-key': SECRET, authorization: `Bearer ${OTHER}` }, { type: 'ambiguous' }],
  ['a key and a token', { 'x-api-key': SECRET, authorization: 'Bearer a.b.c' }, { type: 'ambiguous' }],
  [
    'a key header sent twice, which is no secret',
    { 'x-api-key': `${SECRET}, ${SECRET}` },
    { type: 'key', secret: `${SECRET}, ${SECRET}` },
  ],
])('reads %s', (_, headers, credentials) => {
  expect(readCredentials(headers)).toEqual(credentials);
});

it.each(KEY_KINDS)('a new %s secret says what it is, and is like no other', (kind) => {
  const made = Array.from({ length: 200 }, () => newSecret(kind));
  for (const { secret, prefix } of made) {
    expect(secret).toMatch(new RegExp(`^vx_${kind}_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$`));
    expect(secret.startsWith(`${prefix}_`)).toBe(true);
    expect(kindOfSecret(secret)).toBe(kind);
  }
  expect(new Set(made.map(({ secret }) => hashOfSecret(secret))).size).toBe(200);
});

it.each([
  '',
  'vx_',
  SECRET.slice(0, -1),
  `${SECRET}0`,
  `${SECRET}, ${SECRET}`,
  `${SECRET}\n`,
  SECRET.replace('server', 'root'),
  SECRET.replace('vx_', 'VX_'),
  'a.b.c',
])('%j is no secret', (text) => {
  expect(kindOfSecret(text)).toBeUndefined();
});

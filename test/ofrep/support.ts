import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Response } from 'supertest';
import type { TestApp } from '../support/app.js';
import type { Api, Json } from '../support/api.js';
import { withKey, type MadeKey } from '../api-keys/support.js';

export const BULK = '/ofrep/v1/evaluate/flags';
export const one = (key: string) => `${BULK}/${encodeURIComponent(key)}`;
export const ALICE = { context: { targetingKey: 'alice' } };

/** One flag of every kind of answer. `secret-*` are hidden from clients, `shop-*` are not. */
export async function makeFlags(api: Api): Promise<void> {
  const visible = { is_enabled: true, client_visible: true };
  const variants = (type: string, a: unknown, b: unknown) => ({
    value_type: type,
    variants: [
      { key: 'a', value: a },
      { key: 'b', value: b },
    ],
    default_serve: { variant: 'a' },
    off_variant: 'b',
    ...visible,
  });
  await api.newFlag({ key: 'secret-plan', is_enabled: true });
  await api.newFlag({ key: 'secret-off' });
  await api.newFlag({ key: 'shop-banner', ...visible });
  await api.newFlag({ key: 'shop-color', ...variants('string', 'grün', 'rot') });
  await api.newFlag({ key: 'shop-count', ...variants('number', 7, 0) });
  await api.newFlag({ key: 'shop-ratio', ...variants('number', 0.25, 0) });
  await api.newFlag({ key: 'shop-layout', ...variants('json', { columns: [1, 2] }, {}) });
  await api.newFlag({ key: 'shop-off', ...visible, is_enabled: false });
  await api.newFlag({
    key: 'shop-none',
    ...variants('string', 'x', 'y'),
    is_enabled: false,
    off_variant: null,
  });
  await api.newFlag({
    key: 'shop-gated',
    ...visible,
    prerequisites: [{ flag_key: 'secret-off', variants: ['on'] }],
  });
  await api.newFlag({
    key: 'shop-ruled',
    ...visible,
    rules: [
      {
        id: 'pro',
        name: 'pro',
        conditions: { all: [{ attribute: 'plan', operator: 'equals', values: ['pro'] }] },
        serve: { variant: 'off' },
      },
    ],
  });
  await api.newFlag({
    key: 'shop-split',
    ...visible,
    default_serve: { rollout: { percentage: 100, weights: [{ variant: 'on', weight: 100 }] } },
  });
}

export const SHOP = [
  'shop-banner',
  'shop-color',
  'shop-count',
  'shop-gated',
  'shop-layout',
  'shop-none',
  'shop-off',
  'shop-ratio',
  'shop-ruled',
  'shop-split',
];

export const ask = (vexil: TestApp, key: MadeKey, path: string, body: Json = ALICE, headers: object = {}) =>
  vexil.http
    .post(path)
    .set({ ...withKey(key), ...headers })
    .send(body);

const document = parse(readFileSync('test/conformance/ofrep/openapi.patched.yaml', 'utf8')) as Json;
// The document holds more than schemas. Formats say what people read.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'ofrep', ...document });

/** What is wrong with an answer, as the protocol's own document has it. */
export function flawsOf({ status, body }: Response, isBulk: boolean): unknown[] {
  const path = `/ofrep/v1/evaluate/flags${isBulk ? '' : '/{key}'}`;
  const place = ['paths', path, 'post', 'responses', String(status), 'content', 'application/json', 'schema'];
  const pointer = place.map((name) => encodeURIComponent(name.replaceAll('/', '~1'))).join('/');
  const found = place.reduce<unknown>((node, name) => (node as Json | undefined)?.[name], document);
  // It says nothing of the bodies of others.
  if (found === undefined)
    return [200, 400, 404, 500].includes(status) && !(isBulk && status === 404)
      ? [`no schema for ${status}`]
      : [];
  const validate = ajv.getSchema(`ofrep#/${pointer}`) ?? ajv.compile({ $ref: `ofrep#/${pointer}` });
  return validate(body) ? [] : [...(validate.errors ?? [])];
}

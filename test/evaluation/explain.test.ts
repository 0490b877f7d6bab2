import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Ajv from 'ajv/dist/2020.js';
import { Api, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  const environment_key = 'production';
  await api.newFlag({ key: 'quarter', environment_key, is_enabled: true, rollout_percentage: 25 });
  await api.newFlag({ key: 'asleep', environment_key });
});
afterAll(() => vexil.close());

const body = { environment_key: 'production', user_id: 'alice', explain: true };

it('tells every step, in the words of the HTTP edge, beside the plain answer', async () => {
  const viewer = api.as('viewer');
  const explained = await viewer.post('/evaluate/quarter', body);
  expect(explained.status).toBe(200);
  const { trace, ...answer } = explained.body;
  expect(answer).toEqual((await viewer.post('/evaluate/quarter', { ...body, explain: false })).body);
  expect(trace).toEqual({
    flag: 'quarter',
    prerequisites: [],
    target: null,
    rules: [],
    serve: {
      by: 'default',
      rule: null,
      variant: answer.variant,
      rollout: {
        attribute: 'user_id',
        unit: 'alice',
        bucket: expect.any(Number),
        from: 0,
        to: 2500,
        matched: answer.enabled,
        split: null,
      },
    },
    outcome: { reason: 'SPLIT', error: null, variant: answer.variant },
  });
});

it('tells the steps of many flags, and of those that are unknown or off', async () => {
  const { body: all } = await api.post('/evaluate', body);
  expect(all.flags.map(({ trace }: { trace: Json }) => [trace['flag'], trace['outcome']])).toEqual([
    ['asleep', { reason: 'DISABLED', error: null, variant: 'off' }],
    ['quarter', { reason: 'SPLIT', error: null, variant: expect.any(String) }],
  ]);
  const { body: some } = await api.post('/evaluate', { ...body, flag_keys: ['nowhere'] });
  expect(some.flags[0].trace.outcome).toEqual({ reason: 'ERROR', error: 'FLAG_NOT_FOUND', variant: null });
  const { body: lost } = await api.post('/evaluate/quarter', { ...body, environment_key: 'moon' });
  expect([lost.reason, lost.trace]).toEqual(["Environment 'moon' not found", undefined]);
});

describe.each(['/evaluate/quarter', '/evaluate'])('asked to explain at %s', (path) => {
  it('says 401 to nobody, and to a bad token, which may ask without', async () => {
    const nobody = api.as('nobody');
    const bad = { Authorization: 'Bearer nonsense' };
    for (const answer of [await nobody.post(path, body), await nobody.post(path, body, bad)]) {
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, expect.any(String)]);
    }
    const plain = await nobody.post(path, { ...body, explain: false }, bad);
    expect([plain.status, JSON.stringify(plain.body).includes('trace')]).toEqual([200, false]);
  });

  it.each(['yes', 1, null])('refuses %j', async (explain) => {
    const { status, body: problem } = await api.post(path, { ...body, explain });
    expect([status, problem.errors?.[0].path]).toEqual([422, 'explain']);
  });
});

it('is as the document describes it', async () => {
  const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Json;
  const ajv = new Ajv.Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'api');
  const { trace } = (await api.post('/evaluate/quarter', body)).body;
  const isTrace = ajv.getSchema('api#/components/schemas/FlagTrace');
  expect([isTrace?.(trace), isTrace?.errors]).toEqual([true, null]);
  expect(isTrace?.({ ...trace, outcome: 'well' })).toBe(false);
});

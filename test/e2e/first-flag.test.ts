import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
beforeAll(async () => {
  vexil = await startApp();
});
afterAll(() => vexil.close());

it('lets a new admin make a flag, evaluate it and see who made it', async () => {
  const admin = await vexil.bearer('admin');
  const created = await vexil.http.post('/flags').set(admin).send({
    key: 'new-checkout',
    name: 'New checkout',
    environment_key: 'production',
    flag_type: 'percentage',
    rollout_percentage: 25,
    is_enabled: true,
  });
  expect(created.status).toBe(201);
  expect(created.headers['etag']).toBe('"1"');

  const answer = await vexil.http.get('/evaluate/new-checkout?environment_key=production&user_id=alice');
  expect(answer.body).toEqual({
    enabled: true,
    flag_key: 'new-checkout',
    value: true,
    variant: 'on',
    reason: 'User bucket 139 is within 25% rollout',
    reason_code: 'SPLIT',
    cached: true,
    flag_version: 1,
    revision: 1,
  });

  const history = await vexil.http.get('/audit/flag/new-checkout').set(admin);
  expect(history.body).toHaveLength(1);
  expect(history.body[0]).toMatchObject({
    action: 'created',
    environment_key: 'production',
    revision: 1,
    user_id: (await vexil.as('admin')).id,
  });
});

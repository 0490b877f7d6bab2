import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { routesOf } from '../access/routes.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
beforeAll(async () => {
  vexil = await startApp();
});
afterAll(() => vexil.close());

const BASES = ['/compat/dashboard', '/compat/mvp', '/compat/edge'];

it.each(BASES)('0.17, 1.14: %s describes every one of its routes', async (base) => {
  const { body } = await vexil.http.get(`${base}/openapi.json`);
  const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${`${base}${path}`.replace(/\/$/, '')}`),
  );
  const routes = routesOf(vexil.app)
    .filter((route) => route.endsWith(` ${base}`) || route.includes(` ${base}/`))
    .filter((route) => !/\/(docs|redoc|openapi\.json)$/.test(route))
    .map((route) => route.replace(/:(\w+)/g, '{$1}'));
  expect(described.sort()).toEqual(routes.sort());
  for (const page of ['docs', 'redoc', 'docs/']) {
    const { status, type, text } = await vexil.http.get(`${base}/${page}`);
    expect([status, type]).toEqual([200, 'text/html']);
    for (const path of Object.keys(body.paths as object)) expect(text).toContain(`${base}${path}`);
  }
});

it('0.17: says what a body and a query may be', async () => {
  const { body } = await vexil.http.get('/compat/dashboard/openapi.json');
  const create = body.paths['/flags'].post;
  expect(create.security).toEqual([{ apiKey: [] }]);
  expect(create.requestBody.content['application/json'].schema).toMatchObject({
    type: 'object',
    required: ['key', 'name'],
    properties: {
      key: { type: 'string', minLength: 1, maxLength: 100 },
      rollout_percentage: { type: 'number', minimum: 0, maximum: 100 },
    },
  });
  expect(body.paths['/flags/{key}/audit'].get.parameters).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'key', in: 'path' }),
      expect.objectContaining({
        name: 'limit',
        in: 'query',
        schema: expect.objectContaining({ type: 'integer' }),
      }),
    ]),
  );
});

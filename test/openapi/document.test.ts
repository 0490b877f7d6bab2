import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { openApiDocument } from '../../src/openapi.js';
import { NotAuthenticated, TooManyAttempts } from '../../src/auth/auth.errors.js';
import { EnvironmentProtected } from '../../src/environments/environment.errors.js';
import { FlagExists, FlagNotFound } from '../../src/flags/flag.errors.js';
import { DatabaseUnavailable } from '../../src/platform/database/faults.js';
import { Invalid, StaleVersion } from '../../src/platform/errors/errors.js';
import { schemaConverter } from '../../src/platform/http/openapi-schema.js';
import { routesOf } from '../access/routes.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { send } from '../support/send.js';
import { ApiDocument, type Json, type Route } from './document.js';

let vexil: TestApp;
let document: ApiDocument;
beforeAll(async () => {
  vexil = await startApp();
  document = new ApiDocument(
    JSON.parse((await send(vexil.url, { method: 'GET', path: '/openapi.json' })).text) as Json,
  );
});
afterAll(() => vexil.close());

/** Every object in the document outside examples, with its place. */
function walk(
  node: unknown,
  place: readonly string[],
  visit: (value: Json, place: readonly string[]) => void,
): void {
  if (typeof node !== 'object' || node === null) return;
  const isMap = place.at(-1) === 'properties';
  if (!Array.isArray(node) && !isMap) visit(node as Json, place);
  for (const [key, value] of Object.entries(node)) {
    if (isMap || key !== 'example') walk(value, [...place, key], visit);
  }
}

it('has every route of the router but those of the dialects, and no other', () => {
  const routes = routesOf(vexil.app)
    // The document itself, and the page that shows it.
    .filter((route) => !/^GET \/(openapi\.json|docs)/.test(route))
    // What other systems say of themselves.
    .filter((route) => !/^\w+ \/(compat|api\/v1)(\/|$)/.test(route))
    .map((route) => route.replace(/:(\w+)/g, '{$1}'));
  expect(document.routes.map(({ name }) => name).sort()).toEqual(routes.sort());
});

it('is what docs/openapi.json says: run `npm run docs:openapi` after a change', () => {
  const kept: unknown = JSON.parse(readFileSync('docs/openapi.json', 'utf8'));
  expect(JSON.parse(JSON.stringify(openApiDocument(vexil.app)))).toEqual(kept);
});

it('names every operation once, describes it and files it under a tag', () => {
  const operations = document.routes.map(({ operation }) => operation as unknown as Json);
  const ids = operations.map((operation) => operation['operationId']);
  expect(new Set(ids).size).toBe(ids.length);
  const tags = (document.json['tags'] as { name: string }[]).map(({ name }) => name);
  for (const { summary, description, tags: own } of operations) {
    expect([typeof summary, typeof description]).toEqual(['string', 'string']);
    expect(tags).toEqual(expect.arrayContaining(own as string[]));
  }
});

it('declares a problem document for every failure but those of OFREP, and a body for every success but 204 and 304', () => {
  const flaws = document.routes.flatMap(({ name, operation }) =>
    Object.entries(operation.responses).flatMap(([status, declared]) => {
      const types = Object.keys(document.resolve(declared).content ?? {});
      const failure = name.includes(' /ofrep/') ? 'application/json' : 'application/problem+json';
      const wanted = Number(status) >= 400 ? failure : undefined;
      const isReadiness = name === 'GET /health/ready' && status === '503';
      if (wanted !== undefined && !isReadiness) return types.join() === wanted ? [] : [`${name} ${status}`];
      return types.length > 0 || ['204', '304'].includes(status) ? [] : [`${name} ${status}`];
    }),
  );
  expect(flaws).toEqual([]);
});

it('says where a token is needed, and 401 there alone; 403 where a role is', () => {
  for (const { name, operation } of document.routes) {
    const isPublic = operation.security.length === 0;
    const givesTokens = /^POST \/auth\/(login|setup)$|^GET \/ofrep\/v1\/stream$/.test(name);
    expect([name, '401' in operation.responses]).toEqual([name, !isPublic || givesTokens]);
  }
});

it('holds nothing that only Zod or Nest understands, and refers only to what it has', () => {
  const strangers: string[] = [];
  const used = new Set<string>();
  walk(document.json, [], (node, place) => {
    for (const key of ['override', 'id', '$defs', 'definitions', '$schema', 'nullable', 'examples', 'const'])
      if (key in node) strangers.push([...place, key].join(' '));
    if (typeof node['$ref'] === 'string') {
      document.resolve(node);
      used.add(node['$ref']);
    }
  });
  expect(strangers).toEqual([]);
  const components = document.json['components'] as Record<string, Json>;
  for (const kind of ['schemas', 'responses', 'headers'])
    for (const name of Object.keys(components[kind] ?? {}))
      if (kind !== 'headers') expect([...used]).toContain(`#/components/${kind}/${name}`);
});

it('gives an example for every body and every answer, and each is right', () => {
  const missing: string[] = [];
  const wrong: string[] = [];
  walk(document.json, [], (node, place) => {
    // A schema with an example, or a media type whose schema has one.
    if ('example' in node) {
      const flaws = document.flaws(node['example'], 'schema' in node ? [...place, 'schema'] : place);
      wrong.push(...flaws.map((flaw) => `${place.join(' ')}: ${flaw}`));
    } else if (place.at(-2) === 'content' && place.at(-1) !== 'text/html') {
      const schema = document.resolve(node['schema'] as Json);
      const described = schema['items'] ? document.resolve(schema['items'] as Json) : schema;
      if (!('example' in described)) missing.push(place.join(' '));
    }
  });
  expect({ missing, wrong }).toEqual({ missing: [], wrong: [] });
});

it('shows failures as they are', () => {
  const { responses } = document.json['components'] as { responses: Record<string, { content: Json }> };
  const shown = Object.values(responses).map(({ content }) => {
    const { example } = content['application/problem+json'] as { example: Json };
    return { code: example['code'], message: example['detail'] };
  });
  const real = [
    new NotAuthenticated(),
    new EnvironmentProtected('production', 'flags'),
    new FlagNotFound('new-checkout', 'staging'),
    new FlagExists('new-checkout'),
    new StaleVersion("Flag 'new-checkout' in 'staging'", 4),
    new Invalid([{ path: 'name', message: 'is required' }]),
    new TooManyAttempts(30),
    new DatabaseUnavailable(),
  ].map(({ code, message }) => ({ code, message }));
  expect(shown).toEqual(expect.arrayContaining(real));
});

it('shows requests that do what they say', async () => {
  const admin = await vexil.bearer('admin');
  const example = (name: string) =>
    document.resolve({ $ref: `#/components/schemas/${name}`, example: {} }).example;
  const json = { ...admin, 'Content-Type': 'application/json' };
  const post = (method: string, path: string, body: object) =>
    send(vexil.url, { method, path, headers: json, body: JSON.stringify(body) });
  const answers = [
    await post('POST', '/auth/register', example('RegisterRequest')),
    await post('POST', '/auth/login', example('LoginRequest')),
    await post('POST', '/auth/invites', example('CreateInviteRequest')),
    await post('POST', '/auth/api-keys', example('CreateApiKeyRequest')),
    await post('POST', '/environments', example('CreateEnvironmentRequest')),
    await post('PUT', '/environments/preprod', example('UpdateEnvironmentRequest')),
    await post('POST', '/flags', example('CreateFlagRequest')),
    await post('PUT', '/flags/new-checkout?environment_key=production', example('UpdateFlagRequest')),
    await post('POST', '/segments', example('CreateSegmentRequest')),
    await post('PUT', '/segments/beta-users?environment_key=development', example('UpdateSegmentRequest')),
    await post('POST', '/evaluate/new-checkout', example('EvaluateRequest')),
    await post('POST', '/evaluate', example('EvaluateManyRequest')),
  ];
  expect(answers.map(({ status }) => status)).toEqual([
    201, 200, 201, 201, 201, 200, 201, 200, 201, 200, 200, 200,
  ]);
});

describe('when every operation is called as it says', () => {
  const called = new Set<string>();

  async function call(
    name: string,
    status: number,
    path: string,
    extra: { body?: unknown; headers?: Record<string, string>; role?: 'admin' | null } = {},
  ) {
    const route = document.routes.find((candidate) => candidate.name === name) as Route;
    const token = extra.role === null ? {} : await vexil.bearer('admin');
    const answer = await send(vexil.url, {
      method: route.method,
      path,
      headers: {
        ...token,
        ...(extra.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...extra.headers,
      },
      body: extra.body === undefined ? undefined : JSON.stringify(extra.body),
    });
    expect([name, answer.status, answer.text.slice(0, answer.status === status ? 0 : 300)]).toEqual([
      name,
      status,
      '',
    ]);
    expect([name, document.flawsOfAnswer(route, answer)]).toEqual([name, []]);
    const declared = document.resolve(route.operation.responses[String(status)] ?? {});
    const promised = Object.keys(declared.headers ?? {}).filter(
      (header) => !header.startsWith('X-RateLimit'),
    );
    expect(Object.keys(answer.headers)).toEqual(
      expect.arrayContaining(promised.map((header) => header.toLowerCase())),
    );
    called.add(name);
    return answer;
  }

  it('gets answers that are as the document says, with the headers it promises', async () => {
    const flag = {
      key: 'walk',
      name: 'Walk',
      environment_key: 'staging',
      flag_type: 'percentage',
      rollout_percentage: 16.67,
    };
    const shirts = {
      key: 'shirts',
      name: 'Shirts',
      value_type: 'json',
      variants: [
        { key: 'a', value: { size: [1, null] } },
        { key: 'b', value: null },
      ],
      default_serve: {
        rollout: {
          percentage: 50,
          weights: [
            { variant: 'a', weight: 33.33 },
            { variant: 'b', weight: 66.67 },
          ],
        },
      },
      is_enabled: true,
    };
    const someone = { email: 'walker@example.com', password: PASSWORD, name: 'Walker' };

    await call('GET /', 200, '/');
    await call('GET /', 200, '/', { headers: { Accept: 'text/html' } });
    await call('GET /metrics', 200, '/metrics');
    await call('GET /health', 200, '/health');
    await call('GET /health/live', 200, '/health/live');
    await call('GET /health/ready', 200, '/health/ready');
    await call('GET /auth/setup', 200, '/auth/setup');
    await call('POST /auth/setup', 409, '/auth/setup', { body: { ...someone, token: 'wrong' } });
    const { user } = JSON.parse(
      (await call('POST /auth/register', 201, '/auth/register', { body: someone })).text,
    ) as { user: { id: string } };
    await call('POST /auth/register', 409, '/auth/register', { body: someone });
    await call('POST /auth/login', 200, '/auth/login', {
      body: { email: someone.email, password: PASSWORD },
    });
    await call('POST /auth/login', 401, '/auth/login', { body: { email: someone.email, password: 'wrong' } });
    await call('POST /auth/refresh', 200, '/auth/refresh');
    await call('GET /auth/me', 200, '/auth/me');
    await call('GET /auth/me', 401, '/auth/me', { role: null });
    await call('GET /auth/users', 200, '/auth/users?limit=2');
    await call('PUT /auth/users/{id}/role', 200, `/auth/users/${user.id}/role?new_role=developer`);
    await call('PUT /auth/users/{id}/active', 200, `/auth/users/${user.id}/active`, {
      body: { is_active: false },
    });
    const [invited, unwanted] = await Promise.all(
      ['guest@example.com', undefined].map(
        async (email) =>
          JSON.parse(
            (
              await call('POST /auth/invites', 201, '/auth/invites', {
                body: { role: 'viewer', ...(email === undefined ? {} : { email }) },
              })
            ).text,
          ) as { id: string; token: string },
      ),
    );
    await call('POST /auth/invites', 409, '/auth/invites', {
      body: { role: 'viewer', email: someone.email },
    });
    await call('GET /auth/invites', 200, '/auth/invites?limit=2');
    await call('POST /auth/invites/look', 200, '/auth/invites/look', { body: { token: invited?.token } });
    await call('POST /auth/invites/look', 404, '/auth/invites/look', { body: { token: 'x' } });
    const guest = { ...someone, email: 'guest@example.com', token: invited?.token };
    await call('POST /auth/invites/accept', 201, '/auth/invites/accept', { body: guest });
    await call('POST /auth/invites/accept', 404, '/auth/invites/accept', { body: guest });
    await call('POST /auth/invites/accept', 409, '/auth/invites/accept', {
      body: { ...someone, token: unwanted?.token },
    });
    await call('DELETE /auth/invites/{id}', 204, `/auth/invites/${unwanted?.id ?? ''}`);
    await call('DELETE /auth/invites/{id}', 404, `/auth/invites/${unwanted?.id ?? ''}`);
    const key = JSON.parse(
      (
        await call('POST /auth/api-keys', 201, '/auth/api-keys', {
          body: { name: 'Walk', kind: 'client', environment_key: 'staging', origins: ['https://a.example'] },
        })
      ).text,
    ) as { id: string };
    await call('POST /auth/api-keys', 404, '/auth/api-keys', {
      body: { name: 'Walk', kind: 'server', environment_key: 'nowhere' },
    });
    await call('POST /auth/api-keys', 422, '/auth/api-keys', { body: { name: 'Walk', kind: 'admin' } });
    await call('GET /auth/api-keys', 200, '/auth/api-keys');
    await call('GET /auth/api-keys/{id}', 200, `/auth/api-keys/${key.id}`);
    await call('PATCH /auth/api-keys/{id}', 200, `/auth/api-keys/${key.id}`, {
      body: { expires_at: '2999-01-01T00:00:00Z' },
    });
    await call('DELETE /auth/api-keys/{id}', 204, `/auth/api-keys/${key.id}`);
    await call('PATCH /auth/api-keys/{id}', 409, `/auth/api-keys/${key.id}`, { body: { name: 'Late' } });
    await call('POST /environments', 201, '/environments', { body: { key: 'walk', name: 'Walk' } });
    await call('GET /environments', 200, '/environments');
    await call('GET /environments/{key}', 200, '/environments/walk');
    await call('PUT /environments/{key}', 200, '/environments/walk', {
      body: { description: 'For walking' },
    });
    await call('PUT /environments/{key}', 412, '/environments/walk', {
      body: { name: 'Late' },
      headers: { 'If-Match': '"1"' },
    });
    await call('DELETE /environments/{key}', 204, '/environments/walk');
    await call('POST /flags', 201, '/flags', { body: flag });
    await call('POST /flags', 201, '/flags', { body: shirts });
    await call('POST /flags', 409, '/flags', { body: flag });
    await call('POST /flags', 422, '/flags', { body: { ...flag, color: 'red' } });
    await call('GET /flags', 200, '/flags?limit=1000');
    await call('GET /flags', 200, '/flags?environment_key=staging');
    await call('GET /flag-table', 200, '/flag-table?tag=checkout&limit=10');
    await call('GET /flags/{key}/usage', 200, '/flags/walk/usage?environment_key=staging&period=hour');
    await call('GET /flags/{key}/usage', 422, '/flags/walk/usage?environment_key=staging&period=week');
    await call('GET /usage', 200, '/usage?environment_key=staging&key=walk');
    await call('GET /usage', 404, '/usage?environment_key=nowhere&key=walk');
    await call('GET /flag-table', 422, '/flag-table?sort=size');
    await call('GET /flags/{key}', 200, '/flags/walk?environment_key=staging');
    await call('PUT /flags/{key}', 200, '/flags/walk?environment_key=staging', {
      body: { is_enabled: true },
    });
    const crowd = {
      key: 'crowd',
      name: 'Crowd',
      environment_key: 'staging',
      excluded: ['bob'],
      conditions: {
        any: [
          { attribute: 'user_id', operator: 'matches', values: ['^a'], negate: true, case_insensitive: true },
          { not: { all: [{ operator: 'bucket', values: [0, 5000], salt: 's', hash_version: 'md5' }] } },
        ],
      },
    };
    await call('POST /segments', 201, '/segments', { body: crowd });
    await call('POST /segments', 409, '/segments', { body: crowd });
    await call('POST /segments', 422, '/segments', { body: { ...crowd, conditions: { any: [{}] } } });
    await call('GET /segments', 200, '/segments?limit=1000');
    await call('GET /segments/{key}', 200, '/segments/crowd?environment_key=staging');
    await call('GET /segments/{key}/keys', 200, '/segments/crowd/keys?environment_key=staging&list=excluded');
    await call('PUT /segments/{key}', 200, '/segments/crowd?environment_key=staging', {
      body: { conditions: null },
    });
    const [{ position: changed }] = JSON.parse(
      (await call('GET /audit', 200, '/audit?entity_type=segment&limit=1')).text,
    ) as [{ position: number }];
    await call('POST /segments/{key}/revert', 200, '/segments/crowd/revert?environment_key=staging', {
      body: { position: changed, reason: 'not meant' },
    });
    await call('POST /segments/{key}/revert', 409, '/segments/crowd/revert?environment_key=staging', {
      body: { position: changed },
    });
    await call('POST /conditions/try', 200, '/conditions/try', {
      body: {
        environment_key: 'staging',
        conditions: [
          { any: [{ operator: 'in_segment', values: ['crowd'] }] },
          { all: [{ attribute: 'email', operator: 'matches', values: ['(?=no)'] }] },
        ],
        contexts: [{ user_id: 'alice' }],
      },
    });
    await call('POST /conditions/try', 404, '/conditions/try', {
      body: { environment_key: 'nowhere', conditions: [{ all: [] }], contexts: [] },
    });
    await call('DELETE /segments/{key}', 204, '/segments/crowd?environment_key=staging');
    await call('PUT /flags/{key}', 200, '/flags/walk?environment_key=staging', {
      body: {
        targets: [{ variant: 'on', keys: ['alice'] }],
        rules: [{ id: 'r', conditions: { any: [] }, serve: { rollout: { percentage: 25 } } }],
      },
    });
    await call('GET /flags/{key}/targets/{variant}', 200, '/flags/walk/targets/on?environment_key=staging');
    await call('GET /flags/{key}/lint', 200, '/flags/walk/lint?environment_key=staging');
    await call('PUT /flags/{key}', 200, '/flags/walk?environment_key=staging', {
      body: { owner: 'somebody' },
    });
    const [{ position }] = JSON.parse(
      (await call('GET /audit/flag/{key}', 200, '/audit/flag/walk?limit=1')).text,
    ) as [{ position: number }];
    await call('POST /flags/{key}/revert', 200, '/flags/walk/revert?environment_key=staging', {
      body: { position, reason: 'not theirs' },
    });
    await call('POST /flags/{key}/revert', 409, '/flags/walk/revert?environment_key=staging', {
      body: { position },
    });
    await call('POST /flags/{key}/re-randomise', 200, '/flags/walk/re-randomise?environment_key=staging', {
      body: { rule_id: 'r' },
    });
    await call('POST /flags/{key}/re-randomise', 404, '/flags/walk/re-randomise?environment_key=staging', {
      body: { rule_id: 'none' },
    });
    await call('POST /evaluate/{flag_key}', 200, '/evaluate/walk', {
      body: { environment_key: 'staging', user_id: 'alice', explain: true },
    });
    await call('GET /evaluate/{flag_key}', 200, '/evaluate/walk?environment_key=staging&user_id=alice');
    await call('GET /evaluate/{flag_key}', 200, '/evaluate/nothing?environment_key=nowhere');
    await call('POST /evaluate/{flag_key}', 200, '/evaluate/shirts', {
      body: { environment_key: 'staging', context: { user_id: 7 } },
    });
    await call('POST /evaluate', 200, '/evaluate', {
      body: { environment_key: 'staging', user_id: 'alice' },
    });
    await call('POST /evaluate', 200, '/evaluate', {
      body: { environment_key: 'nowhere', flag_keys: ['walk'] },
    });
    const ofrep = JSON.parse(
      (
        await call('POST /auth/api-keys', 201, '/auth/api-keys', {
          body: { name: 'Walk', kind: 'server', environment_key: 'staging' },
        })
      ).text,
    ) as { secret: string };
    const asked = {
      role: null,
      headers: { 'X-API-Key': ofrep.secret },
      body: { context: { targetingKey: 'alice' } },
    } as const;
    const one = 'POST /ofrep/v1/evaluate/flags/{key}';
    const all = 'POST /ofrep/v1/evaluate/flags';
    await call(one, 200, '/ofrep/v1/evaluate/flags/shirts', asked);
    await call(one, 404, '/ofrep/v1/evaluate/flags/none', asked);
    await call(one, 400, '/ofrep/v1/evaluate/flags/shirts', { ...asked, body: { context: {} } });
    await call(all, 401, '/ofrep/v1/evaluate/flags', { ...asked, headers: {} });
    const given = await call(all, 200, '/ofrep/v1/evaluate/flags', asked);
    await call(all, 304, '/ofrep/v1/evaluate/flags', {
      ...asked,
      headers: { ...asked.headers, 'If-None-Match': given.headers.etag ?? '' },
    });
    const { eventStreams } = JSON.parse(given.text) as {
      eventStreams: { endpoint: { requestUri: string } }[];
    };
    await call('GET /ofrep/v1/stream', 200, eventStreams[0]?.endpoint.requestUri ?? '', { role: null });
    await call('GET /ofrep/v1/stream', 401, '/ofrep/v1/stream?token=x', { role: null });
    await call('GET /ofrep/v1/stream', 400, '/ofrep/v1/stream', { role: null });
    await call('GET /activity', 200, '/activity');
    await call('GET /stream', 200, '/stream?environment_key=staging');
    await call('GET /stream', 404, '/stream?environment_key=nowhere');
    const { headers } = await call('GET /ruleset', 200, '/ruleset?environment_key=staging');
    await call('GET /ruleset', 304, '/ruleset?environment_key=staging', {
      headers: { 'If-None-Match': headers.etag ?? '' },
    });
    await call('GET /audit', 200, '/audit?limit=200');
    await call('GET /audit/flag/{key}', 200, '/audit/flag/walk');
    await call('GET /audit/verify', 200, '/audit/verify');
    await call('GET /cache/stats', 200, '/cache/stats');
    await call('DELETE /flags/{key}/cache', 200, '/flags/walk/cache');
    await call('DELETE /flags/{key}', 204, '/flags/walk?environment_key=staging');
    await call('DELETE /flags/{key}', 404, '/flags/walk?environment_key=staging');

    expect([...called].sort()).toEqual(document.routes.map(({ name }) => name).sort());
  });
});

describe('schemaConverter', () => {
  it('refuses two schemas of one name that are not the same', () => {
    const convert = schemaConverter();
    const schema = (type: z.ZodType) => z.object({ type }).meta({ id: 'Twin' });
    convert(schema(z.string()), { schemaType: 'output' });
    convert(schema(z.string()), { schemaType: 'output' });
    expect(() => convert(schema(z.number()), { schemaType: 'output' })).toThrow("'Twin'");
  });
});

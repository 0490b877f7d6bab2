import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { send, sendBytes, type Received, type Sent } from '../support/send.js';

let vexil: TestApp;
beforeAll(async () => {
  vexil = await startApp({ ALLOWED_ORIGINS: 'https://app.example.com,http://localhost:3000' });
});
afterAll(() => vexil.close());

const JSON_BODY = { 'Content-Type': 'application/json' };
const FLAG = { key: 'wrong', name: 'Wrong' };

async function as(role: 'admin' | undefined, request: Partial<Sent> & { json?: unknown }): Promise<Received> {
  const token = role === undefined ? {} : await vexil.bearer(role);
  const { json, ...rest } = request;
  return send(vexil.url, {
    method: 'GET',
    path: '/',
    ...rest,
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    headers: { ...token, ...(json === undefined ? {} : JSON_BODY), ...rest.headers },
  });
}

const problem = ({ text }: Received) => JSON.parse(text) as { status: number; code: string; detail: string };

describe('a request that cannot be answered', () => {
  const rows: [string, Partial<Sent> & { json?: unknown }, number, string, string][] = [
    [
      'an unknown path',
      { path: '/nothing' },
      404,
      'route_not_found',
      'There is nothing at this path. The API is described at /docs.',
    ],
    [
      'a path in other letters',
      { path: '/Flags' },
      404,
      'route_not_found',
      'There is nothing at this path. The API is described at /docs.',
    ],
    [
      'a wrong method',
      { method: 'PATCH', path: '/flags/x' },
      405,
      'method_not_allowed',
      'PATCH is not possible here.',
    ],
    [
      'a method nobody uses',
      { method: 'PROPFIND', path: '/flags' },
      405,
      'method_not_allowed',
      'PROPFIND is not possible here.',
    ],
    [
      'a path that is not UTF-8',
      { path: '/flags/%E0%A4%A?environment_key=staging' },
      400,
      'malformed_path',
      'The path is not percent-encoded UTF-8.',
    ],
    [
      'half an escape in the path',
      { path: '/evaluate/%zz?environment_key=staging' },
      400,
      'malformed_path',
      'The path is not percent-encoded UTF-8.',
    ],
    [
      'half an escape, and a wrong method',
      { method: 'PATCH', path: '/flags/%zz' },
      400,
      'malformed_path',
      'The path is not percent-encoded UTF-8.',
    ],
    [
      'half a JSON document',
      { method: 'POST', path: '/flags', headers: JSON_BODY, body: '{"key":' },
      400,
      'malformed_json',
      'The body is not valid JSON.',
    ],
    [
      'JSON in Latin-1',
      { method: 'POST', path: '/flags', headers: JSON_BODY, body: Buffer.from('{"key":"\xe9', 'latin1') },
      400,
      'malformed_json',
      'The body is not valid JSON.',
    ],
    [
      'a form',
      {
        method: 'POST',
        path: '/flags',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: 'key=x',
      },
      415,
      'unsupported_media_type',
      'Send the body as application/json.',
    ],
    [
      'a body without a type',
      { method: 'POST', path: '/flags', body: '{}' },
      415,
      'unsupported_media_type',
      'Send the body as application/json.',
    ],
    [
      'a charset that JSON has not',
      {
        method: 'POST',
        path: '/flags',
        headers: { 'Content-Type': 'application/json; charset=latin1' },
        body: '{}',
      },
      415,
      'unsupported_media_type',
      'Send the body as UTF-8, not compressed or compressed with gzip.',
    ],
    [
      'a compression nobody knows',
      { method: 'POST', path: '/flags', headers: { ...JSON_BODY, 'Content-Encoding': 'zip' }, body: '{}' },
      415,
      'unsupported_media_type',
      'Send the body as UTF-8, not compressed or compressed with gzip.',
    ],
    [
      'gzip that is none',
      { method: 'POST', path: '/flags', headers: { ...JSON_BODY, 'Content-Encoding': 'gzip' }, body: '{}' },
      400,
      'malformed_request',
      'The request could not be read.',
    ],
    [
      'a gzip bomb',
      {
        method: 'POST',
        path: '/flags',
        headers: { ...JSON_BODY, 'Content-Encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(20_000_000, ' ')),
      },
      413,
      'body_too_large',
      'The body is larger than this route accepts.',
    ],
    [
      'more than 1 MiB',
      { method: 'POST', path: '/environments', json: { key: 'x'.repeat(1_050_000) } },
      413,
      'body_too_large',
      'The body is larger than this route accepts.',
    ],
    [
      'an evaluation of more than 64 KiB',
      { method: 'POST', path: '/evaluate', json: { environment_key: 'x'.repeat(66_000) } },
      413,
      'body_too_large',
      'The body is larger than this route accepts.',
    ],
    [
      'more values than anybody has',
      { method: 'POST', path: '/environments', json: Array.from({ length: 50_001 }, () => 0) },
      413,
      'too_many_values',
      'The body has more than 50000 values.',
    ],
    ['no body', { method: 'POST', path: '/flags' }, 422, 'validation_failed', 'request: is required'],
    [
      'an empty body',
      { method: 'POST', path: '/flags', headers: JSON_BODY, body: '' },
      422,
      'validation_failed',
      '2 problems in the request.',
    ],
    [
      'null',
      { method: 'POST', path: '/flags', json: null },
      422,
      'validation_failed',
      'request: must be an object',
    ],
    [
      'a list',
      { method: 'POST', path: '/flags', json: [] },
      422,
      'validation_failed',
      'request: must be an object',
    ],
    [
      'a missing field',
      { method: 'POST', path: '/flags', json: { key: 'x' } },
      422,
      'validation_failed',
      'name: is required',
    ],
    [
      'an unknown field',
      { method: 'POST', path: '/flags', json: { ...FLAG, colour: 'red' } },
      422,
      'validation_failed',
      'colour: is not a known field',
    ],
    [
      'an unknown field without a name',
      { method: 'POST', path: '/flags', json: { ...FLAG, '': 1 } },
      422,
      'validation_failed',
      '"": is not a known field',
    ],
    [
      'an unknown field inside',
      { method: 'POST', path: '/flags', json: { ...FLAG, variants: [{ key: 'a', value: 1, weight: 2 }] } },
      422,
      'validation_failed',
      'variants[0].weight: is not a known field',
    ],
    [
      'a name that JavaScript needs',
      {
        method: 'POST',
        path: '/flags',
        headers: JSON_BODY,
        body: '{"variants":[{"key":"a","value":{"__proto__":1}}]}',
      },
      422,
      'validation_failed',
      'variants[0].value.__proto__: is a name that cannot be used',
    ],
    [
      'a number for a text',
      { method: 'POST', path: '/flags', json: { ...FLAG, name: 7 } },
      422,
      'validation_failed',
      'name: must be a text',
    ],
    [
      'a text for a number',
      { method: 'POST', path: '/flags', json: { ...FLAG, rollout_percentage: '7' } },
      422,
      'validation_failed',
      'rollout_percentage: must be a number',
    ],
    [
      'a text for a truth',
      { method: 'POST', path: '/flags', json: { ...FLAG, is_enabled: 'yes' } },
      422,
      'validation_failed',
      'is_enabled: must be true or false',
    ],
    [
      'a number out of range',
      { method: 'POST', path: '/flags', json: { ...FLAG, rollout_percentage: 101 } },
      422,
      'validation_failed',
      'rollout_percentage: must be at most 100',
    ],
    [
      'a number between the steps',
      { method: 'POST', path: '/flags', json: { ...FLAG, rollout_percentage: 0.001 } },
      422,
      'validation_failed',
      'rollout_percentage: must be in steps of 0.01',
    ],
    [
      'a text too short',
      { method: 'POST', path: '/flags', json: { ...FLAG, reason: '' } },
      422,
      'validation_failed',
      'reason: must have at least 1 character',
    ],
    [
      'a text too long',
      { method: 'POST', path: '/flags', json: { ...FLAG, reason: 'x'.repeat(501) } },
      422,
      'validation_failed',
      'reason: must have at most 500 characters',
    ],
    [
      'nothing but spaces',
      { method: 'POST', path: '/flags', json: { ...FLAG, name: '  ' } },
      422,
      'validation_failed',
      'name: must not be blank',
    ],
    [
      'NUL',
      { method: 'POST', path: '/flags', json: { ...FLAG, name: 'a\0' } },
      422,
      'validation_failed',
      'name: must not contain NUL or unpaired surrogates',
    ],
    [
      'none of the choices',
      { method: 'POST', path: '/flags', json: { ...FLAG, value_type: 'colour' } },
      422,
      'validation_failed',
      'value_type: must be one of "boolean", "string", "number", "json"',
    ],
    [
      'a key in other letters',
      { method: 'POST', path: '/flags', json: { ...FLAG, key: 'Wrong' } },
      422,
      'validation_failed',
      "key: must be 1 to 100 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
    ],
    [
      'an id that is none',
      { method: 'POST', path: '/flags', json: { ...FLAG, environment_id: '7' } },
      422,
      'validation_failed',
      'environment_id: must be a valid uuid',
    ],
    [
      'too deep a body',
      { method: 'POST', path: '/flags', headers: JSON_BODY, body: '['.repeat(80) + ']'.repeat(80) },
      422,
      'validation_failed',
      'request: must not be nested deeper than 64 levels',
    ],
    [
      'a flag that is not there, called like a failure of the database',
      { path: '/flags/Connection%20terminated?environment_key=staging' },
      404,
      'flag_not_found',
      "Flag 'Connection terminated' not found in environment 'staging'",
    ],
    [
      'a missing query parameter',
      { path: '/flags/x' },
      422,
      'validation_failed',
      'environment_key: is required',
    ],
    ...[
      '/flags',
      '/environments',
      '/environments/staging',
      '/auth/users',
      '/auth/me',
      '/auth/setup',
      '/audit/verify',
    ].map((path): (typeof rows)[number] => [
      `an unknown query parameter at ${path}`,
      { path: `${path}?colour=red` },
      422,
      'validation_failed',
      'colour: is not a known parameter',
    ]),
    [
      'a query where none is looked at',
      { method: 'POST', path: '/auth/login?email=a', json: { email: 'a', password: 'b' } },
      422,
      'validation_failed',
      'email: is not a known parameter',
    ],
    [
      'a body where none is looked at',
      { method: 'POST', path: '/auth/refresh', json: { days: 7 } },
      422,
      'validation_failed',
      'days: is not a known field',
    ],
    [
      'a list where no body is looked at',
      { method: 'POST', path: '/auth/refresh', json: [] },
      422,
      'validation_failed',
      'request: must be an object',
    ],
    [
      'a query parameter twice',
      { path: '/flags?tag=a&tag=b' },
      422,
      'validation_failed',
      'tag: is given more than once',
    ],
    [
      'a number in the query twice',
      { path: '/audit?limit=1&limit=2' },
      422,
      'validation_failed',
      'limit: is given more than once',
    ],
    [
      'an id in the path that is none',
      { method: 'PUT', path: '/auth/users/7/role?new_role=viewer' },
      422,
      'validation_failed',
      'id: must be a valid uuid',
    ],
    [
      'a key in the path with NUL',
      { path: '/audit/flag/%00' },
      422,
      'validation_failed',
      'key: must not contain NUL or unpaired surrogates',
    ],
    [
      'an address with NUL',
      {
        method: 'POST',
        path: '/auth/register',
        json: { email: 'a\0@example.com', password: 'correct horse battery', name: 'A' },
      },
      422,
      'validation_failed',
      'email: must be an e-mail address',
    ],
    [
      'a login with NUL',
      { method: 'POST', path: '/auth/login', json: { email: 'a\0@example.com', password: 'x' } },
      422,
      'validation_failed',
      'email: must not contain NUL or unpaired surrogates',
    ],
    ['a limit of none', { path: '/flags?limit=0' }, 422, 'validation_failed', 'limit: must be at least 1'],
    [
      'a limit that is no number',
      { path: '/flags?limit=all' },
      422,
      'validation_failed',
      'limit: must be a whole number',
    ],
    [
      'a moment that is none',
      { path: '/audit?since=yesterday' },
      422,
      'validation_failed',
      'since: must be a moment such as 2026-11-21T09:30:00Z',
    ],
    [
      'an If-Match that is none',
      { method: 'PUT', path: '/flags/x?environment_key=staging', json: {}, headers: { 'If-Match': 'abc' } },
      400,
      'malformed_if_match',
      'If-Match must be an ETag that this API gave, such as "3".',
    ],
  ];

  it('lists no more mistakes than a person reads', async () => {
    const json = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field-${index}`, 1]));
    const { text } = await as('admin', { method: 'POST', path: '/flags', json });
    expect((JSON.parse(text) as { errors: unknown[] }).errors).toHaveLength(50);
  });

  it.each(rows)('says what is wrong with %s', async (_, request, status, code, detail) => {
    const answer = await as('admin', request);
    expect(problem(answer)).toMatchObject({ status, code, detail });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(problem(answer)).toHaveProperty('request_id', answer.headers['x-request-id']);
  });

  it('says of what a route does not ask for only to those who may call it', async () => {
    expect((await as(undefined, { path: '/environments?colour=red' })).status).toBe(401);
  });

  it.each(['/', '/health', '/health/live', '/health/ready', '/metrics'])(
    'passes over what probes add to %s',
    async (path) => {
      expect((await as(undefined, { path: `${path}?_=1&_=2` })).status).toBe(200);
    },
  );

  it('forgives a body that says nothing', async () => {
    expect((await as('admin', { method: 'POST', path: '/auth/refresh', json: {} })).status).toBe(200);
  });

  it('lists every mistake with its place', async () => {
    const answer = await as('admin', {
      method: 'POST',
      path: '/flags',
      json: { key: 'X', name: 1, colour: 'red' },
    });
    expect(problem(answer)).toMatchObject({
      detail: '3 problems in the request.',
      errors: expect.arrayContaining([
        { path: 'name', message: 'must be a text' },
        { path: 'colour', message: 'is not a known field' },
      ]),
    });
  });

  it.each([
    ['/flags', 'GET, HEAD, POST'],
    ['/flags/x', 'DELETE, GET, HEAD, PUT'],
    ['/evaluate/x', 'GET, HEAD, POST'],
    ['/auth/login', 'POST'],
    ['/openapi.json', 'GET, HEAD'],
  ])('names the methods of %s', async (path, allow) => {
    expect((await as(undefined, { method: 'PATCH', path })).headers['allow']).toBe(allow);
  });

  it.each([
    ['no HTTP', 'HELLO\r\n\r\n', 400, 'malformed_request'],
    ['a header that is none', 'GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n', 400, 'malformed_request'],
    [
      'two lengths',
      'POST /evaluate HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
      'malformed_request',
    ],
    [
      'a length and chunks',
      'POST /evaluate HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed_request',
    ],
    [
      '20 KB of headers',
      `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ])('answers %s with a problem document, too', async (_, bytes, status, code) => {
    const [head = '', body = ''] = (await sendBytes(vexil.url, bytes)).split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });

  it('looks at no body where none has a meaning', async () => {
    const answer = await as('admin', {
      path: '/environments',
      headers: { 'Content-Type': 'text/plain' },
      body: '{',
    });
    expect(answer.status).toBe(200);
  });
});

describe('HEAD', () => {
  it.each(['/', '/health', '/openapi.json', '/evaluate/x?environment_key=staging'])(
    'has the headers of GET and no body at %s',
    async (path) => {
      const [head, get] = [await as(undefined, { method: 'HEAD', path }), await as(undefined, { path })];
      expect([head.status, head.text]).toEqual([get.status, '']);
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
    },
  );

  it('has no body where it fails', async () => {
    const answer = await as(undefined, { method: 'HEAD', path: '/flags' });
    expect([answer.status, answer.text]).toEqual([401, '']);
  });
});

describe('CORS', () => {
  const preflight = (origin: string) =>
    as(undefined, {
      method: 'OPTIONS',
      path: '/flags/x',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'if-match',
      },
    });

  it.each(['https://app.example.com', 'http://localhost:3000'])('lets pages of %s call', async (origin) => {
    const before = await preflight(origin);
    expect(before.status).toBe(204);
    expect(before.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': expect.stringContaining('PUT'),
      'access-control-allow-headers': expect.stringContaining('If-Match'),
    });
    const answer = await as(undefined, { path: '/health', headers: { Origin: origin } });
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(answer.headers['vary']).toContain('Origin');
    const exposed = answer.headers['access-control-expose-headers'] ?? '';
    for (const header of [
      'ETag',
      'Retry-After',
      'X-Cache',
      'X-RateLimit-Remaining',
      'X-Request-Id',
      'X-Total-Count',
    ])
      expect(exposed.split(',')).toContain(header);
  });

  it('lets a listed page read failures, too', async () => {
    const headers = { Origin: 'https://app.example.com' };
    for (const path of ['/nothing', '/flags', '/evaluate/%zz'])
      expect((await as(undefined, { path, headers })).headers['access-control-allow-origin']).toBe(
        headers.Origin,
      );
  });

  it.each([
    'null',
    '*',
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://evil-app.example.com',
    'https://xapp.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com/',
    'https://APP.example.com',
    'https://app.example.co',
    'http://localhost:3001',
    'http://localhost',
  ])('does not let pages of %s call', async (origin) => {
    for (const answer of [
      await preflight(origin),
      await as(undefined, { path: '/health', headers: { Origin: origin } }),
    ])
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

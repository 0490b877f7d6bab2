import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { UsersRepository } from '../../src/auth/users.repository.js';
import { eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly error?: { readonly type: string; readonly message: string; readonly stack?: string };
  readonly request?: { readonly id: string };
}

let vexil: TestApp;
let written = '';
beforeAll(async () => {
  const log = new PassThrough();
  log.on('data', (chunk: Buffer) => (written += chunk.toString()));
  vexil = await startApp({}, { log });
  await vexil.as('admin');
});
afterAll(() => vexil.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the log says while accounts are listed, which fails with `error`. */
async function linesOfFailure(error: unknown): Promise<{ status: number; lines: Line[] }> {
  const admin = await vexil.bearer('admin');
  jest.spyOn(vexil.app.get(UsersRepository, { strict: false }), 'list').mockRejectedValue(error);
  const before = written.length;
  const { status } = await vexil.http.get('/auth/users').set(admin).set('X-Request-Id', 'failing');
  await sleep(50);
  const lines = written.slice(before).trim().split('\n');
  return {
    status,
    lines: lines.map((line) => JSON.parse(line) as Line).filter(({ level }) => level !== 'debug'),
  };
}

it('warns once of a request that an outage kept from its answer, and says why in few words', async () => {
  const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  expect(await linesOfFailure(gone)).toEqual({
    status: 503,
    lines: [
      expect.objectContaining({
        level: 'warn',
        message: 'GET /auth/users failed',
        request: expect.objectContaining({ id: 'failing' }),
        error: { type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
      }),
    ],
  });
});

it('tells all of a failure that nobody expected, beside the id that the caller got', async () => {
  expect(await linesOfFailure(new TypeError('x is not a function'))).toEqual({
    status: 500,
    lines: [
      expect.objectContaining({
        level: 'error',
        message: 'GET /auth/users failed',
        request: expect.objectContaining({ id: 'failing' }),
        error: {
          type: 'TypeError',
          message: 'x is not a function',
          stack: expect.stringContaining('request-log.test.ts'),
        },
      }),
    ],
  });
});

it.each([
  ['debug', '/evaluate/x?environment_key=development&user_id=u'],
  ['debug', '/health'],
  ['debug', '/compat/dashboard/flags/x/evaluate?user_id=u'],
  ['debug', '/compat/mvp/users/u/flags'],
  ['debug', '/compat/mvp/users/u/flags/x'],
  ['debug', '/api/v1/flags/x/evaluate?user_id=u'],
  ['debug', '/compat/edge/flags/x/check?user_id=u'],
  ['debug', '/compat/edge/flags/x?user_id=u'],
  ['info', '/compat/dashboard/flags/x'],
  ['info', '/compat/dashboard/flags/'],
  ['info', '/compat/mvp/flags/x'],
  ['info', '/api/v1/flags/x'],
  ['info', '/compat/edge/flags'],
  ['info', '/compat/edge/cache/stats'],
  ['info', '/flags'],
])('writes a line of level %s for %s', async (level, path) => {
  const before = written.length;
  await vexil.http.get(path);
  const lines = (): Line[] =>
    written
      .slice(before)
      .trim()
      .split('\n')
      .filter((line) => line.includes('"response"'))
      .map((line) => JSON.parse(line) as Line);
  await eventually(() => lines().length > 0);
  expect(lines()).toEqual([expect.objectContaining({ level, message: `GET ${path.split('?')[0]!}` })]);
});

it('says nothing of errors where there is none', async () => {
  const before = written.length;
  await vexil.http.get('/nothing').set('X-Request-Id', 'nothing');
  await sleep(50);
  const [line, ...more] = written.slice(before).trim().split('\n');
  expect(more).toEqual([]);
  expect(JSON.parse(line!)).toMatchObject({ level: 'info', response: { status_code: 404 } });
  expect(line).not.toContain('error');
});

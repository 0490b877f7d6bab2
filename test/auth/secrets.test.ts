import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Tokens } from '../../src/auth/tokens.js';
import { startApp, type TestApp } from '../support/app.js';

const canary = (what: string) => `canary-${what}-${randomBytes(8).toString('hex')}`;
const PASSWORDS = {
  registered: canary('registered'),
  guessed: canary('guessed'),
  refused: canary('refused').slice(0, 7),
  inQuery: canary('query'),
  malformed: canary('malformed'),
  smuggled: canary('smuggled'),
  inHeader: canary('header'),
  failed: canary('failed'),
  setup: canary('setup'),
};
const JWT_SECRET_KEY = randomBytes(32).toString('hex');

let vexil: TestApp;
let log = '';
/** All that clients were sent, but for the tokens that are meant for them. */
const answers: { status: number; text: string; body: Record<string, unknown> }[] = [];
const tokens: string[] = [];
const secrets = () => [...Object.values(PASSWORDS), ...tokens, JWT_SECRET_KEY];

async function exchange(request: PromiseLike<{ status: number; text: string; body: unknown }>) {
  const answer = await request;
  const body = answer.body as { access_token?: string };
  if (typeof body.access_token === 'string') tokens.push(body.access_token);
  answers.push({ ...answer, body: body });
  return answer;
}

beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  vexil = await startApp({ JWT_SECRET_KEY }, { log: sink });
  const setupToken = vexil.app.get(Tokens, { strict: false }).setupToken();
  tokens.push(setupToken);
  const email = 'canary@example.com';
  const { http } = vexil;
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    exchange(http.post(path).set(headers).send(body));

  await post('/auth/register', { email, password: PASSWORDS.registered, name: 'Canary' });
  await post('/auth/register', { email, password: PASSWORDS.registered, name: 'Canary' });
  await post('/auth/register', { email: 'other@example.com', password: PASSWORDS.refused, name: 'x' });
  await post('/auth/register', {
    email: 'other@example.com',
    password: PASSWORDS.smuggled,
    password_again: PASSWORDS.smuggled,
    name: 'x',
  });
  await post('/auth/register', { email: 'x', password: { plain: PASSWORDS.smuggled }, name: 'x' });
  await post('/auth/login', { email, password: PASSWORDS.registered });
  await post('/auth/login', { email, password: PASSWORDS.guessed });
  await post('/auth/login', { email: 'nobody@example.com', password: PASSWORDS.guessed });
  await post(`/auth/login?password=${PASSWORDS.inQuery}&access_token=${tokens[1]!}`, {});
  await post('/auth/setup', {
    email: 'admin@example.com',
    password: PASSWORDS.setup,
    name: 'x',
    token: setupToken,
  });
  await post('/auth/setup', {
    email: 'late@example.com',
    password: PASSWORDS.setup,
    name: 'x',
    token: setupToken,
  });
  await exchange(
    http
      .post('/auth/login')
      .set('Content-Type', 'application/json')
      .send(`{"email": "${email}", "password": "${PASSWORDS.malformed}" oops`),
  );
  await exchange(
    http.post('/auth/login').set('Content-Type', 'text/plain').send(`password=${PASSWORDS.malformed}`),
  );
  await exchange(
    http
      .get('/auth/me')
      .set({ Authorization: `Basic ${PASSWORDS.inHeader}`, 'X-API-Key': PASSWORDS.inHeader }),
  );
  await exchange(http.get('/auth/me').set({ Authorization: `Bearer ${PASSWORDS.inHeader}` }));
  const bearer = { Authorization: `Bearer ${tokens[1]!}`, Cookie: `session=${PASSWORDS.inHeader}` };
  await exchange(http.get('/auth/me').set(bearer));
  await post('/auth/refresh', {}, bearer);
  const admin = { Authorization: `Bearer ${tokens.at(-2)!}` };
  const [user] = await vexil.query<{ id: string }>('SELECT id FROM users WHERE email = $1', [email]);
  await exchange(http.get('/auth/users').set(admin));
  await exchange(http.put(`/auth/users/${user!.id}/role?new_role=developer`).set(admin));
  await exchange(http.put(`/auth/users/${user!.id}/active`).set(admin).send({ is_active: false }));

  // A statement that fails while it holds a hash: its text and its values are in the error that is logged.
  await vexil.query("ALTER TABLE users ADD CONSTRAINT ck_never CHECK (name <> 'doomed') NOT VALID");
  await post('/auth/register', {
    email: 'doomed@example.com',
    password: PASSWORDS.failed,
    name: 'doomed',
  });
});
afterAll(() => vexil.close());

it('the flow did what it should have done', () => {
  const statuses = answers.map(({ status }) => status);
  for (const status of [200, 201, 400, 401, 409, 415, 422, 500]) expect(statuses).toContain(status);
  expect(log).toContain('POST /auth/login');
  expect(log).toContain('"level":"error"');
  expect(tokens.length).toBeGreaterThan(4);
});

it('T25: no log line holds a password, a token or the signing secret', () => {
  for (const secret of secrets()) expect(log.includes(secret)).toBe(false);
  expect(log).not.toContain('argon2id');
});

it('each log line is one JSON object', () => {
  for (const line of log.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

it('T25: no audit entry holds one, nor a hash of a password', async () => {
  const rows = JSON.stringify(await vexil.query('SELECT * FROM audit_entries'));
  expect(rows).toContain('canary@example.com');
  for (const secret of secrets()) expect(rows.includes(secret)).toBe(false);
  expect(rows).not.toMatch(/argon2|hash_password|password/i);
});

it('T25: no answer holds one, but for the token that it is there to give', () => {
  for (const { text, body } of answers) {
    const rest = JSON.stringify({ ...body, access_token: undefined }) + (body['access_token'] ? '' : text);
    for (const secret of secrets()) expect(rest.includes(secret)).toBe(false);
    expect(rest).not.toMatch(/argon2|password_hash|passwordHash/);
  }
});

it('T25: an error that we did not expect tells the client nothing but where to look', () => {
  const { body } = answers.find(({ status }) => status === 500)!;
  expect(body).toEqual({
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    code: 'internal_error',
    detail: expect.stringContaining('request id'),
    request_id: expect.any(String),
  });
  expect(log).toContain(String(body['request_id']));
});

it('T25: the database holds a password as a hash only', async () => {
  const rows = JSON.stringify(await vexil.query('SELECT * FROM users'));
  for (const secret of secrets()) expect(rows.includes(secret)).toBe(false);
});

it('T25: no figure for Prometheus holds one', async () => {
  const { text } = await vexil.http.get('/metrics');
  for (const secret of secrets()) expect(text.includes(secret)).toBe(false);
});

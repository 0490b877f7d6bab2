import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENT } from '../support/api.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { Drill, Durations, outOf } from '../support/drill.js';
import { send, type Received } from '../support/send.js';
import { ApiDocument, flawsOfProblem, type Json, type Route } from './document.js';
import { Requests, strayRequests, type Attempt, type Caller } from './requests.js';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 5_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const AT_ONCE = 8;
const MOST_TRIES = 3;
/** Of all answers, how many may tell to come again. */
const COME_AGAIN_SHARE = 0.005;
const ENVIRONMENTS = ['development', 'staging', 'production'];
const PASSING = ['fuzz-1', 'fuzz-2', 'fuzz-3'];
const FLAGS = Array.from({ length: 12 }, (_, index) => `fuzz-${index}`);

const SEGMENTS = FLAGS.map((key) => key.replace('fuzz', 'crowd'));

let vexil: TestApp;
let document: ApiDocument;
let victims: readonly string[];
let keys: readonly string[];
let invites: readonly { id: string; token: string }[];
const tokens = new Map<Caller, string>();
beforeAll(async () => {
  // A 503 of a machine that is too busy for a second says nothing about the request.
  vexil = await startApp(PATIENT);
  const answer = await send(vexil.url, { method: 'GET', path: '/openapi.json' });
  document = new ApiDocument(JSON.parse(answer.text) as Json);
  // Accounts may be demoted and disabled, but for those that the requests are made with.
  victims = await Promise.all(
    ['viewer', 'developer', 'admin'].map(async (role) => (await vexil.person(role as 'viewer')).id),
  );
  keys = await Promise.all(
    ['server', 'client', 'client'].map(async (kind) => {
      const body = { name: kind, kind, environment_key: 'development' };
      const made = await vexil.http
        .post('/auth/api-keys')
        .set(await vexil.bearer('admin'))
        .send(body);
      return (made.body as { id: string }).id;
    }),
  );
  invites = await Promise.all(
    ['viewer', 'viewer', 'viewer'].map(async (role) => {
      const made = await vexil.http
        .post('/auth/invites')
        .set(await vexil.bearer('admin'))
        .send({ role });
      return made.body as { id: string; token: string };
    }),
  );
  for (const role of ['viewer', 'developer', 'admin'] as const)
    tokens.set(role, (await vexil.as(role)).token);
});
afterAll(() => vexil.close());

/** Things that exist. Only environments that nobody needs are ever deleted. */
function known({ name: route }: Route, name: string): readonly string[] | undefined {
  if (route === 'DELETE /environments/{key}') return name === 'key' ? PASSING : undefined;
  if (route.endsWith('/environments')) return name === 'key' ? PASSING : undefined;
  if (route.endsWith('/environments/{key}'))
    return name === 'key' ? [...ENVIRONMENTS, ...PASSING] : undefined;
  if (name === 'environment_key') return [...ENVIRONMENTS, 'fuzz-1'];
  if (name === 'key' && route.includes('/segments')) return SEGMENTS;
  if (['key', 'flag_key', 'flag_keys'].includes(name) && !route.includes('/auth/')) return FLAGS;
  if (route.includes('/invites') && name === 'id') return invites.map(({ id }) => id);
  if (route.includes('/invites') && name === 'token') return invites.map(({ token }) => token);
  if (name === 'id') return route.includes('/api-keys') ? keys : victims;
  if (['variant', 'off_variant'].includes(name)) return ['on', 'off'];
  if (name === 'password') return [PASSWORD];
  return undefined;
}

interface Finding {
  readonly attempt: Attempt;
  readonly answer: string;
  readonly flaws: readonly string[];
}

async function attempt(made: Attempt, flawsOf: (answer: Received) => string[]): Promise<Finding | undefined> {
  const token = tokens.get(made.caller);
  const headers = { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...made.headers };
  const ask = async (): Promise<Received> => {
    const sentAt = performance.now();
    const received = await send(vexil.url, { ...made, headers });
    durations.add(performance.now() - sentAt);
    counts.set(received.status, (counts.get(received.status) ?? 0) + 1);
    return received;
  };
  let answer = await ask();
  for (let tries = 0; tries < MOST_TRIES && saysComeAgain(answer); tries += 1) {
    comeAgain += 1;
    await sleep(Number(answer.headers['retry-after']) * 1000);
    answer = await ask();
  }
  const flaws = flawsOf(answer);
  return flaws.length === 0
    ? undefined
    : {
        attempt: { ...made, headers: made.headers ?? {}, body: made.body?.toString().slice(0, 500) },
        answer: `${answer.status} ${answer.text.slice(0, 500)}`,
        flaws,
      };
}

/** That the database is too slow just now, on a machine that has other things to do: honest, as long as it is rare and passes. */
const saysComeAgain = ({ status, headers, text }: Received): boolean =>
  status === 503 && headers['retry-after'] !== undefined && text.includes('"code":"database_unavailable"');
let comeAgain = 0;

const counts = new Map<number, number>();
const durations = new Durations();

/** No server error, and a problem document for every failure; OPTIONS and HEAD have no bodies to look at. */
function flawsOfStray({ method, path }: Attempt, answer: Received): string[] {
  if (answer.status >= 500) return ['a server error'];
  if (answer.status < 400 || method === 'HEAD') return [];
  if (/^\/ofrep(\/|$)/.test(path))
    return answer.headers['content-type']?.startsWith('application/json') ? [] : ['not an OFREP failure'];
  if (!answer.headers['content-type']?.startsWith('application/problem+json'))
    return ['not a problem document'];
  return flawsOfProblem(JSON.parse(answer.text) as Json, answer);
}

it(
  `R15: answers ${REQUESTS} requests of every kind as the document says (FUZZ_SEED=${SEED})`,
  async () => {
    const drill = new Drill('R15', 'fuzz of every endpoint');
    const prototype = Object.getOwnPropertyNames(Object.prototype);
    const requests = new Requests(document, known);
    // What changes something, twice as often as what only reads.
    const weights = [...document.routes.map(({ method }) => (method === 'GET' ? 1 : 2)), 2];
    const unit = Math.ceil(REQUESTS / weights.reduce((sum, weight) => sum + weight, 0));
    const plan = document.routes.map((route, index) =>
      fc
        .sample(requests.of(route), { numRuns: unit * (weights[index] ?? 1), seed: SEED + index })
        .map(
          (made) => () =>
            attempt(made, (answer) =>
              answer.status >= 500 ? ['a server error'] : document.flawsOfAnswer(route, answer),
            ),
        ),
    );
    plan.push(
      fc
        .sample(strayRequests(document.routes), { numRuns: unit * 2, seed: SEED })
        .map((made) => () => attempt(made, (answer) => flawsOfStray(made, answer))),
    );
    // One of each route in turn, several at once.
    const queue = Array.from({ length: unit * 2 }, (_, turn) =>
      plan.flatMap((own) => own[turn] ?? []),
    ).flat();
    const findings: Finding[] = [];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const finding = await next();
        if (finding) findings.push(finding);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    // Whatever an answer left running has a moment to fail: a rejection that nobody handles turns a test of Jest's red.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const asked = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const flawsOf = (kind: 'a server error' | undefined) =>
      findings.filter(({ flaws }) => flaws.includes('a server error') === (kind !== undefined)).length;
    drill.report(
      {
        FUZZ_SEED: SEED,
        endpoints: document.routes.length,
        'server errors': outOf(flawsOf('a server error'), asked),
        'answers that break the document': outOf(flawsOf(undefined), asked),
        'answers to come again': outOf(comeAgain, asked),
        'answers by status': Object.fromEntries([...counts].sort(([a], [b]) => a - b)),
      },
      { answers: durations },
    );

    expect(`${findings.length} findings ${JSON.stringify(findings.slice(0, 8), undefined, 1)}`).toBe(
      '0 findings []',
    );
    expect(comeAgain).toBeLessThanOrEqual(asked * COME_AGAIN_SHARE);
    expect(({} as Json)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
    // Otherwise nothing was tried that matters.
    const tried = [200, 201, 204, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422];
    if (REQUESTS >= 2_000) expect([...counts.keys()]).toEqual(expect.arrayContaining(tried));
    await expectOrder();
  },
  60_000 + REQUESTS * 40,
);

/** What must hold whatever was asked. */
async function expectOrder(): Promise<void> {
  const admin = await vexil.bearer('admin');
  const get = async <T>(path: string): Promise<T> => {
    const answer = await send(vexil.url, { method: 'GET', path, headers: admin });
    expect([path, answer.status]).toEqual([path, 200]);
    return JSON.parse(answer.text) as T;
  };

  expect(await get('/auth/me')).toMatchObject({ role: 'admin', is_active: true });
  expect(await get('/audit/verify')).toMatchObject({ valid: true, first_broken: null });

  const entries = await vexil.query<{
    action: string;
    entity_type: string;
    entity_key: string;
    revisions: Record<string, number>;
    reason: string | null;
  }>('SELECT action, entity_type, entity_key, revisions, reason FROM audit_entries ORDER BY position');
  const now = new Map<string, number>();
  for (const { action, entity_type: type, entity_key: key, revisions, reason } of entries) {
    for (const [environment, revision] of Object.entries(revisions)) {
      const before = now.get(environment) ?? 0;
      // What goes with its environment goes in one revision, whatever there is of it; so does what is made in every one.
      const isOneOfMany = reason === `environment '${environment}' deleted` || type === 'segment';
      expect([environment, isOneOfMany && revision === before ? before + 1 : revision]).toEqual([
        environment,
        before + 1,
      ]);
      now.set(environment, revision);
    }
    if (type === 'environment' && action === 'deleted') now.delete(key);
  }
  for (const { key, revision } of await get<{ key: string; revision: number }[]>('/environments'))
    expect([key, now.get(key) ?? 0]).toEqual([key, revision]);

  const flags = await get<{ key: string; environment_key: string; archived_at: string | null }[]>(
    '/flags?limit=1000&archived=any',
  );
  expect(flags.length).toBeGreaterThan(0);
  for (const { key, environment_key: environment } of flags) {
    const answer = await get<Json>(`/evaluate/${key}?environment_key=${environment}&user_id=alice`);
    expect([key, environment, answer['reason_code']]).not.toContain('ERROR');
  }
}

/**
 * The SDK and the HTTP API answer the same: golden cases, and random rulesets and contexts, compared byte for byte.
 * 100,000 pairs of a flag and a context; `AGREEMENT_PAIRS=2000000` for a long run.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Flag, serializeSnapshot, type Segment } from '../../src/core/index.js';
import {
  type Context,
  createServerClient,
  type EvaluationResult,
  type JsonValue,
  type ServerClient,
} from '../../sdk/src/index.js';
import { Database } from '../../src/platform/database/database.js';
import { serverKey } from '../api-keys/support.js';
import { Api, eventually } from '../support/api.js';
import { type TestApp, startApp } from '../support/app.js';
import { context, flag, segment } from '../support/arbitraries.js';
import { flagWire, ruleWire, rulesetWire, type Wire } from '../support/builders.js';

const PAIRS = Number(process.env['AGREEMENT_PAIRS'] ?? 100_000);
const FLAGS = 50;
const CONTEXTS = 50;
const SEED = Number(process.env['AGREEMENT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('the golden cases', () => {
  const read = (file: string): unknown => JSON.parse(readFileSync(`test/conformance/${file}`, 'utf8'));
  interface Golden {
    ruleset: { environment_key: string };
    cases: { name: string; flag: string; context: Context; expect: Wire }[];
  }
  const clients: ServerClient[] = [];
  afterAll(() => Promise.all(clients.map((client) => client.close())));

  const alone = (bootstrap: object, environment: string): ServerClient => {
    const client = createServerClient({
      baseUrl: 'http://127.0.0.1:1',
      apiKey: 'none',
      environment,
      bootstrap,
      logger: { warn: () => undefined, error: () => undefined },
      fetch: () => Promise.reject(new Error('there is no service')),
    });
    clients.push(client);
    return client;
  };

  describe.each(['evaluation.json', 'targeting.json'])('of %s', (file) => {
    const { ruleset, cases } = read(file) as Golden;
    const client = alone(ruleset, ruleset.environment_key);

    it.each(cases.filter(({ context }) => typeof context.targetingKey !== 'number'))(
      '$name',
      ({ flag, context, expect: expected }) => {
        const { value, variant, reason, errorCode, flagVersion, explanation } = client.evaluate(
          flag,
          context,
          undefined,
          { explain: true },
        );
        expect({
          value: value ?? null,
          variant: variant ?? null,
          reason_code: reason,
          error_code: errorCode ?? null,
          flag_version: flagVersion ?? null,
          reason: explanation?.sentence,
        }).toEqual(expected);
      },
    );
  });

  it('of operators.json', () => {
    const { groups } = read('operators.json') as {
      groups: { condition: Wire & { attribute: string }; holds: JsonValue[]; fails: JsonValue[] }[];
    };
    const flags = groups.map(({ condition }, index) =>
      flagWire(`f${index}`, { rules: [ruleWire('r', [condition])], default_serve: { variant: 'off' } }),
    );
    const client = alone(rulesetWire(flags), 'production');
    let asked = 0;
    for (const [index, { condition, holds, fails }] of groups.entries()) {
      for (const [values, wanted] of [[holds, true] as const, [fails, false] as const]) {
        for (const value of values) {
          const who = Object.defineProperty({}, condition.attribute, { value, enumerable: true });
          expect([condition, value, client.isEnabled(`f${index}`, who)]).toEqual([condition, value, wanted]);
          asked += 1;
        }
      }
    }
    expect(asked).toBeGreaterThan(300);
  });
});

describe('random rulesets on a real service', () => {
  let vexil: TestApp;
  let api: Api;
  let client: ServerClient;

  beforeAll(async () => {
    vexil = await startApp();
    api = new Api(vexil);
    const { secret } = await serverKey(vexil);
    client = createServerClient({
      baseUrl: vexil.url,
      apiKey: secret,
      environment: 'development',
      logger: { warn: () => undefined, error: () => undefined },
    });
    await client.ready();
  });
  afterAll(async () => {
    await client.close();
    await vexil.close();
  });

  /** Past the editor, which would refuse much of what a snapshot may hold. */
  async function store(flags: readonly Flag[], segments: readonly Segment[]): Promise<void> {
    const document = serializeSnapshot({ environmentKey: 'development', revision: 1, flags, segments });
    // At once, as the service's own changes are: an instance that reads in between would have half of them under the old revision.
    await vexil.app.get(Database).transaction(async ({ manager }) => {
      const query = manager.query.bind(manager);
      await query('DELETE FROM flag_settings');
      await query('DELETE FROM flags');
      await query('DELETE FROM segments');
      const where = `(SELECT id FROM environments WHERE key = 'development')`;
      await query(
        `INSERT INTO flags (id, key, name, value_type, variants, archived_at, client_visible)
         SELECT (f->>'id')::uuid, f->>'key', 'x', f->>'value_type', f->'variants',
           CASE WHEN (f->>'is_archived')::boolean THEN now() END, (f->>'client_visible')::boolean
         FROM jsonb_array_elements($1::jsonb) f`,
        [JSON.stringify(withIds(document.flags))],
      );
      await query(
        `INSERT INTO flag_settings (flag_id, environment_id, is_enabled, off_variant, prerequisites, targets, rules, default_serve, version)
         SELECT g.id, ${where}, (f->>'is_enabled')::boolean, f->>'off_variant', f->'prerequisites', f->'targets', f->'rules',
           f->'default_serve', (f->>'version')::integer
         FROM jsonb_array_elements($1::jsonb) f JOIN flags g ON g.key = f->>'key'`,
        [JSON.stringify(document.flags)],
      );
      await query(
        `INSERT INTO segments (id, environment_id, key, name, included, excluded, conditions)
         SELECT (s->>'id')::uuid, ${where}, s->>'key', 'x', s->'included', s->'excluded', nullif(s->'conditions', 'null')
         FROM jsonb_array_elements($1::jsonb) s`,
        [JSON.stringify(withIds(document.segments))],
      );
      await query(
        `UPDATE environments SET revision = revision + 1, stamp = gen_random_uuid() WHERE key = 'development'`,
      );
    });
    await api.delete('/flags/any/cache');
    const revision = await api.revision();
    await eventually(() => client.revision === revision);
  }

  it(`are answered as over HTTP, for at least ${PAIRS} pairs (seed ${SEED})`, async () => {
    let pairs = 0;
    const reasons = new Map<string, number>();
    for (let round = 0; pairs < PAIRS; round += 1) {
      const seed = SEED + round;
      const flags = sample(flag(), FLAGS * 2, seed).filter(isStorable);
      const segments = sample(segment(), 6, seed).filter(isStorable);
      await store(uniqueByKey(flags).slice(0, FLAGS), uniqueByKey(segments));
      const contexts = sample(context(), CONTEXTS * 3, seed)
        .map(overTheWire)
        .filter(isTakenAtTheEdge);
      for (const who of contexts.slice(0, CONTEXTS)) {
        const response = await fetch(`${vexil.url}/evaluate`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ environment_key: 'development', context: who }),
        });
        const { flags: theirs } = (await response.json()) as { flags?: Wire[] };
        if (!theirs) throw new Error(`${response.status} for ${JSON.stringify(who)}`);
        const mine = client.evaluateAll(who);
        const explained = client.evaluateAll(who, { explain: true });
        expect(Object.keys(mine).length).toBe(theirs.length);
        for (const answer of theirs) {
          const key = String(answer['flag_key']);
          const sentence = explained[key]?.explanation?.sentence;
          const text = JSON.stringify(wireOf(mine[key], sentence));
          // A million matchers would take a while.
          if (text !== JSON.stringify(answer))
            expect({ seed, who, text }).toEqual({ seed, who, text: JSON.stringify(answer) });
          const again = client.evaluate(key, who);
          if (JSON.stringify(again) !== JSON.stringify(mine[key])) expect(again).toEqual(mine[key]);
          if (client.isEnabled(key, who) !== answer['enabled']) expect(key).toBe(answer);
          const reason = String(answer['error_code'] ?? answer['reason_code']);
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
        pairs += theirs.length;
      }
    }
    console.log(`${pairs} pairs agree, seed ${SEED}: ${JSON.stringify(Object.fromEntries(reasons))}`);
    // Everything that can be answered was.
    expect([...reasons.keys()].sort()).toEqual(
      [
        'DEFAULT',
        'DISABLED',
        'PARSE_ERROR',
        'PREREQUISITE_FAILED',
        'SPLIT',
        'STATIC',
        'TARGETING_MATCH',
      ].sort(),
    );
  }, 1_800_000);
});

/** The answer as the HTTP API spells it. */
function wireOf(result: EvaluationResult | undefined, sentence: string | undefined): Wire | undefined {
  if (!result) return undefined;
  return {
    enabled: result.isEnabled,
    flag_key: result.flagKey,
    value: result.value ?? null,
    variant: result.variant ?? null,
    reason: sentence,
    reason_code: result.reason,
    ...(result.errorCode === undefined ? {} : { error_code: result.errorCode }),
    cached: true,
    flag_version: result.flagVersion ?? null,
    revision: result.revision ?? null,
  };
}

const sample = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns: number, seed: number): Value[] =>
  fc.sample(arbitrary, { numRuns, seed });

/** Postgres has no zero character and no half of a pair in its texts. */
const isStorable = (thing: unknown): boolean => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(thing));

const uniqueByKey = <Thing extends { readonly key: string }>(things: readonly Thing[]): Thing[] => [
  ...new Map(things.map((thing) => [thing.key, thing])).values(),
];

const withIds = (things: readonly unknown[]): unknown[] =>
  things.map((thing) => ({ id: randomUUID(), ...(thing as object) }));

/** With a time of its own: some conditions make something else of every millisecond. */
const overTheWire = (who: unknown): Context => {
  const sent = JSON.parse(JSON.stringify(who)) as Context;
  // `null` is none either.
  return { ...sent, now: sent['now'] ?? 1_795_219_200_000 };
};

const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

/** Names that mean something to JavaScript, and users that are none, are refused at the edge. */
function isTakenAtTheEdge(who: Context): boolean {
  const isNamed = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    Object.entries(value).every(([name, inner]) => !FORBIDDEN.includes(name) && isNamed(inner));
  return isNamed(who) && ['string', 'number', 'undefined'].includes(typeof (who.targetingKey ?? undefined));
}

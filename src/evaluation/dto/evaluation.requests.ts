import { parse } from 'node:querystring';
import { z } from 'zod';
import { TARGETING_KEY, type Context, type JsonValue } from '../../core/index.js';
import { USER_ID } from '../../segments/unit-name.js';
import { plainContext } from '../plain-context.js';
import { MAX_ATTRIBUTES, MAX_NAME, MAX_UNIT, sizeFlaws } from '../context-limits.js';

const MAX_ENVIRONMENT_KEY = 100;
const MAX_FLAGS = 1_000;
const MAX_FLAG_KEY = 200;

/** What the unit is called at the HTTP edge, and in OpenFeature. */
const UNIT_NAMES = [USER_ID, TARGETING_KEY] as const;

export const environmentKey = z
  .string()
  .min(1)
  .max(MAX_ENVIRONMENT_KEY)
  .meta({ description: 'The key of an environment.', example: 'production' });

/** Numbers name users too, and are the same users as their decimal text. */
const userId = z
  .union([z.string().max(MAX_UNIT), z.number()], {
    error: `must be a text of at most ${MAX_UNIT} characters or a number; leave it out when nobody is known`,
  })
  .transform(String)
  .meta({ description: 'Who is asking.', example: 'alice' });

export const contextSchema = z
  .record(z.string().max(MAX_NAME), z.json())
  .superRefine((context, issues) => {
    for (const flaw of sizeFlaws(context)) issues.addIssue(flaw);
    for (const name of UNIT_NAMES) {
      if (Object.hasOwn(context, name) && context[name] !== null && unitAt(context, name) === undefined) {
        issues.addIssue({ code: 'custom', path: [name], message: 'must be a text or a number' });
      }
    }
    const [id, key] = UNIT_NAMES.map((name) => unitAt(context, name));
    if (id !== undefined && key !== undefined && id !== key) {
      issues.addIssue({ code: 'custom', path: ['user_id'], message: `contradicts ${TARGETING_KEY}` });
    }
  })
  .meta({
    override: { type: 'object', additionalProperties: true, maxProperties: MAX_ATTRIBUTES },
    description: `Who is asking: \`user_id\` (or \`${TARGETING_KEY}\`), and any attributes.`,
    example: { user_id: 'alice', plan: 'pro' },
  });

export const evaluateQuery = z
  .strictObject({
    environment_key: environmentKey,
    user_id: z.string().max(MAX_UNIT).optional().meta({ description: 'Who is asking.', example: 'alice' }),
  })
  .transform(({ environment_key: environment, user_id: id }) => ({
    environmentKey: environment,
    context: contextOf(undefined, id),
    explain: false,
  }));

/**
 * What `evaluateQuery` makes of a query that has nothing unusual, in a twentieth of the time; `undefined` for any other,
 * whether it is wrong or not.
 * @param query of an address, as it stands there
 */
export function plainQuestion(query: string): EvaluateQuery | undefined {
  const read = parse(query);
  const { environment_key: environment, user_id: id } = read;
  const names = Object.keys(read).length;
  if (names === 1) return withoutUser(environment);
  return names === 2 ? plainQuestionOf(environment, id) : undefined;
}

function withoutUser(environment: unknown): EvaluateQuery | undefined {
  const question = plainQuestionOf(environment, '');
  return question && { ...question, context: {} };
}

/** `plainQuestion`, of the values of a query that has only these two. */
export function plainQuestionOf(environment: unknown, id: unknown): EvaluateQuery | undefined {
  if (typeof environment !== 'string' || environment === '' || environment.length > MAX_ENVIRONMENT_KEY)
    return undefined;
  if (typeof id !== 'string' || id.length > MAX_UNIT) return undefined;
  return { environmentKey: environment, context: { targetingKey: id }, explain: false };
}

const body = {
  environment_key: environmentKey,
  user_id: userId.optional(),
  context: contextSchema.optional(),
  explain: z.boolean().optional().meta({
    description:
      'Whether to tell every step, as `trace`. Needs a credential: role viewer or above, or a server key.',
  }),
};

export const evaluateRequest = z
  .strictObject(body)
  .superRefine(refuseTwoUsers)
  .transform(({ environment_key: environment, context, user_id: id, explain = false }) => ({
    environmentKey: environment,
    context: contextOf(context, id),
    explain,
  }))
  .meta({
    id: 'EvaluateRequest',
    example: { environment_key: 'production', context: { user_id: 'alice', plan: 'pro' } },
  });

export const evaluateManyRequest = z
  .strictObject({
    ...body,
    flag_keys: z
      .array(z.string().max(MAX_FLAG_KEY))
      .max(MAX_FLAGS)
      .optional()
      .meta({ description: 'Which flags, each answered once; all when absent.', example: ['new-checkout'] }),
  })
  .superRefine(refuseTwoUsers)
  .transform(
    ({ environment_key: environment, context, user_id: id, explain = false, flag_keys: flagKeys }) => ({
      environmentKey: environment,
      context: contextOf(context, id),
      explain,
      flagKeys,
    }),
  )
  .meta({
    id: 'EvaluateManyRequest',
    example: { environment_key: 'production', user_id: 'alice', flag_keys: ['new-checkout'] },
  });

/**
 * What `evaluateManyRequest`, or without `flagKeys` `evaluateRequest`, makes of a body that has nothing unusual and does not ask
 * to explain, in a twentieth of the time; `undefined` for any other, whether it is wrong or not.
 * @param body a JSON object
 */
export function plainRequest(body: Readonly<Record<string, unknown>>): EvaluateManyRequest | undefined {
  const { environment_key: environment, user_id: id, context: attributes, flag_keys: flagKeys } = body;
  for (const name of Object.keys(body)) if (!PLAIN_NAMES.has(name)) return undefined;
  if (typeof environment !== 'string' || environment === '' || environment.length > MAX_ENVIRONMENT_KEY)
    return undefined;
  const context = attributes === undefined ? emptyContext() : plainContext(attributes);
  if (!context) return undefined;
  if (id !== undefined) {
    if (typeof id !== 'string' || id.length > MAX_UNIT || context[TARGETING_KEY] !== undefined)
      return undefined;
    context[TARGETING_KEY] = id;
  }
  if (flagKeys !== undefined && !arePlainKeys(flagKeys)) return undefined;
  return { environmentKey: environment, context, explain: false, flagKeys };
}

const PLAIN_NAMES: ReadonlySet<string> = new Set(['environment_key', 'user_id', 'context', 'flag_keys']);

const emptyContext = () => Object.create(null) as Record<string, JsonValue>;

const arePlainKeys = (keys: unknown): keys is string[] =>
  Array.isArray(keys) &&
  keys.length <= MAX_FLAGS &&
  keys.every((key) => typeof key === 'string' && key.length <= MAX_FLAG_KEY);

function refuseTwoUsers(
  { user_id: id, context }: { user_id?: string | undefined; context?: Record<string, unknown> | undefined },
  issues: z.RefinementCtx,
): void {
  const inside = UNIT_NAMES.map((name) => context && unitAt(context, name)).find(
    (unit) => unit !== undefined,
  );
  if (id !== undefined && inside !== undefined && inside !== id) {
    issues.addIssue({ code: 'custom', path: ['user_id'], message: 'contradicts the context' });
  }
}

/** The unit under one of its names: numbers are the same users as their decimal text. */
function unitAt(context: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = Object.hasOwn(context, name) ? context[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** The context as the core wants it: the unit under its own name, without a prototype for names to be found on. */
export function contextOf(
  attributes: Readonly<Record<string, JsonValue>> | undefined,
  id: string | undefined,
): Context {
  const context = Object.assign(Object.create(null) as Record<string, JsonValue>, attributes);
  const unit = id ?? UNIT_NAMES.map((name) => unitAt(context, name)).find((item) => item !== undefined);
  if (unit !== undefined) context[TARGETING_KEY] = unit;
  return context;
}

export const asksToExplain = ({ body }: { readonly body?: unknown }): boolean =>
  typeof body === 'object' && body !== null && (body as { explain?: unknown }).explain === true;

export type EvaluateQuery = z.output<typeof evaluateQuery>;
export type EvaluateRequest = z.output<typeof evaluateRequest>;
export type EvaluateManyRequest = z.output<typeof evaluateManyRequest>;

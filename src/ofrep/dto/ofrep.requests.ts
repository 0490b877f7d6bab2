import { z } from 'zod';
import { TARGETING_KEY, type Context, type JsonValue } from '../../core/index.js';
import { MAX_ATTRIBUTES, MAX_NAME, MAX_UNIT, sizeFlaws } from '../../evaluation/context-limits.js';
import { USER_ID } from '../../segments/unit-name.js';

/** JSON already, so only its size and its unit are looked at. */
const context = z
  .record(z.string().max(MAX_NAME), z.unknown())
  .superRefine((attributes, issues) => {
    for (const flaw of sizeFlaws(attributes)) issues.addIssue(flaw);
    const unit = attributes[TARGETING_KEY];
    if (unit === undefined || unit === null || typeof unit === 'number') return;
    if (typeof unit !== 'string')
      issues.addIssue({ code: 'custom', path: [TARGETING_KEY], message: 'must be a text' });
    else if (unit.length > MAX_UNIT) {
      const message = `must have at most ${MAX_UNIT} characters`;
      issues.addIssue({ code: 'custom', path: [TARGETING_KEY], message });
    }
  })
  .meta({
    override: { type: 'object', additionalProperties: true, maxProperties: MAX_ATTRIBUTES },
    description: `Who is asking: \`${TARGETING_KEY}\`, and any attributes.`,
    example: { targetingKey: 'alice', plan: 'pro' },
  });

/** Of both routes. Whatever else a client sends, of a later version for example, is passed over. */
export const ofrepRequest = z
  .looseObject({ context })
  .transform(({ context: attributes }) => contextOf(attributes as Record<string, JsonValue>))
  .meta({ id: 'OfrepRequest', example: { context: { targetingKey: 'alice', plan: 'pro' } } });

/** The unit as a text. A client that knows nothing of `targetingKey` may have called it `user_id`, as the rest of the API does. */
function contextOf(attributes: Readonly<Record<string, JsonValue>>): Context {
  const own = Object.assign(Object.create(null) as Record<string, JsonValue>, attributes);
  const unit = [own[TARGETING_KEY], own[USER_ID]].find((item) => item !== undefined && item !== null);
  if (typeof unit === 'string') own[TARGETING_KEY] = unit;
  else if (typeof unit === 'number') own[TARGETING_KEY] = String(unit);
  return own;
}

export const bulkQuery = z.looseObject({
  flagConfigEtag: z.string().optional().meta({
    description: 'The `etag` of the event that led to this request: the answer is not older than that.',
    example: '43-3fdba35f04dc',
  }),
  flagConfigLastModified: z
    .string()
    .optional()
    .meta({ description: 'Accepted, and not needed.', example: '1771622898' }),
});
export type BulkQuery = z.output<typeof bulkQuery>;

export const addressQuery = z.looseObject({
  token: z.string().min(1).max(200).meta({
    description: 'From the address in `eventStreams`.',
    example: 'gvT8Xx3sRZ2m7m0p3r4xjAAAr5GyqB3s8b0WJ9n2Uu3mQw5x',
  }),
  since: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'From the address in `eventStreams`.', example: '43-3fdba35f04dc' }),
});
export type AddressQuery = z.output<typeof addressQuery>;

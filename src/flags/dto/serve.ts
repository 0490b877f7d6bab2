import { z } from 'zod';
import { HASH_VERSIONS, type Serve, type Variant } from '../../core/index.js';
import { camelKeys, storedJson, storedText } from '../../platform/http/schema.js';
import { attributeAtEdge, attributeFromEdge } from '../../segments/unit-name.js';
import { weightsOf, type ServeInput } from '../flag-serve.js';
import { percent, toPercent } from './percent.js';

const variantKey = storedText(1, 100);

export const variantSchema = z
  .strictObject({ key: variantKey.meta({ example: 'on' }), value: storedJson })
  .meta({ id: 'VariantRequest', example: { key: 'on', value: true } });

const range = z
  .strictObject({
    variant: variantKey,
    from: z.int().min(0).max(10_000),
    to: z.int().min(0).max(10_000),
  })
  .meta({
    id: 'AllocationRangeRequest',
    description: 'From this basis point up to, not including, that one.',
  });

const rolloutRequest = z
  .strictObject({
    percentage: percent.optional().meta({
      description:
        'Share of users in the rollout. The others get the off variant. When absent it stays as it was; all for a new rollout.',
    }),
    weights: z
      .array(z.strictObject({ variant: variantKey, weight: percent }).meta({ id: 'WeightRequest' }))
      .min(1)
      .max(100)
      .optional()
      .meta({
        description:
          'Shares within the rollout, 100 in sum. When absent they stay as they were; a new rollout of a boolean flag serves `true`.',
      }),
    bucket_by: storedText(1, 100)
      .transform(attributeFromEdge)
      .optional()
      .meta({
        override: { type: 'string', minLength: 1, maxLength: 100 },
        description: 'The attribute that decides; `user_id` unless said otherwise.',
      }),
    salt: storedText(1, 200).optional().meta({ description: 'Changing it places everyone anew.' }),
    hash_version: z.enum(HASH_VERSIONS).optional().meta({
      description:
        '`murmur3` unless said otherwise, and then kept. The others place people as the systems did that flags were imported from; changing it places everyone anew.',
    }),
    allocation: z.array(range).min(1).max(10_000).optional().meta({
      description:
        'Exact ranges in basis points, to copy a rollout as it is; followed where they agree with the weights.',
    }),
  })
  .transform(({ percentage, weights, ...rest }) => ({
    ...camelKeys(rest),
    coverage: percentage,
    weights: weights?.map(({ variant, weight }) => ({ variant, basisPoints: weight })),
  }))
  .meta({ id: 'RolloutRequest', example: { percentage: 25 } });

export const serveRequest = z
  .union([z.strictObject({ variant: variantKey }), z.strictObject({ rollout: rolloutRequest })], {
    error: 'must be either {"variant": …} or {"rollout": {…}}',
  })
  .transform((serve): ServeInput => serve)
  .meta({
    id: 'ServeRequest',
    description: 'One variant for everyone, or a rollout.',
    example: { rollout: { percentage: 25 } },
  });

export const serveResponse = z
  .union([
    z.object({ variant: z.string() }),
    z.object({
      rollout: z
        .object({
          percentage: z.number().meta({ description: 'Share of users in the rollout.' }),
          weights: z
            .array(z.object({ variant: z.string(), weight: z.number() }).meta({ id: 'Weight' }))
            .meta({ description: 'Shares within the rollout, 100 in sum.' }),
          bucket_by: z.string().meta({ description: 'The attribute that decides.' }),
          salt: z.string(),
          hash_version: z.enum(HASH_VERSIONS),
          allocation: z
            .array(
              z.object({ variant: z.string(), from: z.int(), to: z.int() }).meta({ id: 'AllocationRange' }),
            )
            .meta({ description: 'Who gets what within the rollout, in basis points.' }),
        })
        .meta({ id: 'Rollout' }),
    }),
  ])
  .meta({ id: 'Serve', example: { variant: 'on' } });

export function presentServe(serve: Serve, variants: readonly Variant[]): z.infer<typeof serveResponse> {
  if ('variant' in serve) return { variant: serve.variant };
  const { bucketBy, salt, hashVersion, coverage, ranges } = serve.rollout;
  return {
    rollout: {
      percentage: toPercent(coverage),
      weights: weightsOf(serve.rollout, variants).map(({ variant, basisPoints }) => ({
        variant,
        weight: toPercent(basisPoints),
      })),
      bucket_by: attributeAtEdge(bucketBy),
      salt,
      hash_version: hashVersion,
      allocation: ranges.map(({ variant, from, to }) => ({ variant, from, to })),
    },
  };
}

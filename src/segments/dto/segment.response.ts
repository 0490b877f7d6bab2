import { z } from 'zod';
import { timestamp } from '../../platform/http/schema.js';
import { conditionGroupResponse, presentConditions } from '../condition-schema.js';
import { KEYS_SHOWN, type InContext, type SegmentExcerpt, type SegmentOverview } from '../segment.js';
import { warningResponse } from '../warning-schema.js';

const shown = (who: string) =>
  z
    .array(z.string())
    .nullable()
    .meta({
      description: `${who}, in order; null for more than ${KEYS_SHOWN}, which \`GET /segments/{key}/keys\` has page by page.`,
    });

const overview = z.object({
  id: z.uuid(),
  key: z.string().meta({ example: 'beta-users' }),
  name: z.string(),
  description: z.string().nullable(),
  environment_id: z.uuid(),
  environment_key: z.string(),
  included_count: z.int(),
  excluded_count: z.int(),
  conditions: conditionGroupResponse.nullable().meta({ description: 'Who else is in it; null: nobody.' }),
  used_by: z
    .object({ flags: z.array(z.string()), segments: z.array(z.string()) })
    .meta({ id: 'SegmentUsage', description: 'Keys of those in this environment that use it.' }),
  warnings: z.array(warningResponse).meta({ description: 'What is allowed, and probably not meant.' }),
  version: z.int().meta({ description: 'Counts its changes; what If-Match wants.' }),
  created_at: timestamp,
  updated_at: timestamp,
});

const example = {
  id: '5b0f0c44-0f5e-4c43-9d53-6f7c2f1f5a10',
  key: 'beta-users',
  name: 'Beta users',
  description: null,
  environment_id: '8c5b6d0a-1f3e-4b77-8a90-2d9f4c6e1b05',
  environment_key: 'development',
  included_count: 1,
  excluded_count: 0,
  conditions: {
    all: [{ attribute: 'plan', operator: 'in', values: ['pro', 'team'], negate: false }],
  },
  used_by: { flags: ['new-checkout'], segments: [] },
  warnings: [],
  version: 1,
  created_at: '2026-11-21T09:30:00.000Z',
  updated_at: '2026-11-21T09:30:00.000Z',
};

export const segmentSummaryResponse = overview.meta({ id: 'SegmentSummary', example });

export const segmentResponse = overview
  .extend({ included: shown('Users who are in it'), excluded: shown('Users who are not') })
  .meta({ id: 'Segment', example: { ...example, included: ['alice'], excluded: [] } });

export const keysResponse = z.array(z.string().meta({ example: 'alice' }));

export function presentSummary(segment: InContext<SegmentOverview>): z.infer<typeof segmentSummaryResponse> {
  return {
    id: segment.id,
    key: segment.key,
    name: segment.name,
    description: segment.description,
    environment_id: segment.environmentId,
    environment_key: segment.environmentKey,
    included_count: segment.includedCount,
    excluded_count: segment.excludedCount,
    conditions: segment.conditions === null ? null : presentConditions(segment.conditions),
    used_by: { flags: [...segment.usedBy.flags], segments: [...segment.usedBy.segments] },
    warnings: segment.warnings.map(({ code, path, message }) => ({ code, path, message })),
    version: segment.version,
    created_at: segment.createdAt.toISOString(),
    updated_at: segment.updatedAt.toISOString(),
  };
}

/** Part of a list would look like the whole of it, and be taken for it when it is written back. */
const isShown = (count: number): boolean => count <= KEYS_SHOWN;

export function presentSegment(segment: InContext<SegmentExcerpt>): z.infer<typeof segmentResponse> {
  return {
    ...presentSummary(segment),
    included: isShown(segment.includedCount) ? [...segment.included] : null,
    excluded: isShown(segment.excludedCount) ? [...segment.excluded] : null,
  };
}

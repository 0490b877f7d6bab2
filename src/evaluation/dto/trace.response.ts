import { z } from 'zod';
import {
  ERROR_CODES,
  OPERATORS,
  REASONS,
  type FlagTrace,
  type NodeTrace,
  type PrerequisiteTrace,
  type RolloutTrace,
  type SegmentTrace,
} from '../../core/index.js';
import { anyJson } from '../../platform/http/schema.js';
import { attributeAtEdge } from '../../segments/unit-name.js';

/*
 * The steps of an evaluation. A contract: fields may be added, none changes its meaning. Segments, groups and prerequisites
 * hold traces in turn, so these schemas refer to themselves.
 */

const matched = z.boolean();
const note = z.string().optional().meta({
  description:
    'Why it came out as it did where that is not plain: something is missing, or of the wrong type.',
});

const conditionTrace = z
  .object({
    attribute: z.string().meta({ example: 'plan' }),
    operator: z.enum(OPERATORS),
    negate: z.boolean(),
    actual: anyJson.meta({ description: 'What the context has, cut when long; null when it has none.' }),
    wanted: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .meta({ description: 'The first twenty.' }),
    count: z.int().meta({ description: 'How many are wanted.' }),
    matched: z.boolean().meta({ description: 'With `negate` taken into account.' }),
    note,
    bucket: z.int().optional().meta({ description: 'Of `bucket`: where the unit is, from 0 to 9999.' }),
    get segments() {
      return z.array(segmentTrace).optional().meta({ description: 'Of `in_segment`: the segments asked.' });
    },
  })
  .meta({ id: 'ConditionTrace' });

const groupTrace = z
  .object({
    get all() {
      return z.array(nodeTrace).optional();
    },
    get any() {
      return z.array(nodeTrace).optional();
    },
    get not() {
      return nodeTrace.optional();
    },
    matched,
  })
  .meta({ id: 'ConditionGroupTrace', description: 'One of `all`, `any` and `not`, as far as it was asked.' });

const nodeTrace: z.ZodType<NodeTrace> = z.lazy(() => z.union([conditionTrace, groupTrace])) as never;

const segmentTrace: z.ZodType<SegmentTrace> = z
  .object({
    segment: z.string().meta({ example: 'beta-testers' }),
    unit: z.string().nullable(),
    matched,
    by: z.enum(['excluded', 'included', 'conditions', 'nothing']).meta({ description: 'What decided.' }),
    get conditions() {
      return groupTrace.optional();
    },
    note,
  })
  .meta({ id: 'SegmentTrace' }) as never;

const rolloutTrace = z
  .object({
    attribute: z.string().meta({ example: 'user_id' }),
    unit: z.string().nullable().meta({ example: 'alice' }),
    bucket: z.int().nullable().meta({ description: 'Where the unit is, from 0 to 9999.', example: 139 }),
    from: z.int().meta({ example: 0 }),
    to: z.int().meta({ description: 'In the rollout is who has from <= bucket < to.', example: 2500 }),
    matched,
    split: z
      .object({ bucket: z.int(), from: z.int(), to: z.int() })
      .nullable()
      .meta({ description: 'Which variant, where there are several.' }),
    note,
  })
  .meta({ id: 'RolloutTrace' });

const prerequisiteTrace: z.ZodType<PrerequisiteTrace> = z
  .object({
    flag: z.string(),
    wanted: z.array(z.string()),
    variant: z.string().nullable().meta({ description: 'What the other flag serves.' }),
    matched,
    note,
    get trace() {
      return flagTrace.optional();
    },
  })
  .meta({ id: 'PrerequisiteTrace' }) as never;

const flagTrace: z.ZodType<FlagTrace> = z
  .object({
    flag: z.string(),
    prerequisites: z.array(prerequisiteTrace),
    target: z
      .object({ unit: z.string().nullable(), variant: z.string().nullable(), matched })
      .nullable()
      .meta({ description: 'Null when no targets were asked.' }),
    rules: z.array(
      z
        .object({ rule: z.string(), name: z.string().nullable(), matched, conditions: groupTrace })
        .meta({ id: 'RuleTrace' }),
    ),
    serve: z
      .object({
        by: z.enum(['rule', 'default']),
        rule: z.string().nullable(),
        variant: z.string().nullable(),
        rollout: rolloutTrace.nullable(),
      })
      .nullable()
      .meta({ description: "Null where nothing but the off variant or the caller's default was left." }),
    outcome: z.object({
      reason: z.enum(REASONS),
      error: z.enum(ERROR_CODES).nullable(),
      variant: z.string().nullable(),
    }),
    note,
  })
  .meta({
    id: 'FlagTrace',
    description: 'The steps in the order they were taken; what was not reached is not there.',
    example: {
      flag: 'new-checkout',
      prerequisites: [],
      target: null,
      rules: [],
      serve: {
        by: 'default',
        rule: null,
        variant: 'on',
        rollout: {
          attribute: 'user_id',
          unit: 'alice',
          bucket: 139,
          from: 0,
          to: 2500,
          matched: true,
          split: null,
        },
      },
      outcome: { reason: 'SPLIT', error: null, variant: 'on' },
    },
  }) as never;

export const traceResponse = flagTrace;

/** The core's trace with the unit called as the HTTP edge calls it. */
export function presentTrace(trace: FlagTrace): FlagTrace {
  return {
    ...trace,
    prerequisites: trace.prerequisites.map(({ trace: inner, ...rest }) => ({
      ...rest,
      ...(inner ? { trace: presentTrace(inner) } : {}),
    })),
    rules: trace.rules.map((rule) => ({ ...rule, conditions: presentNode(rule.conditions) })),
    serve: trace.serve && {
      ...trace.serve,
      rollout: trace.serve.rollout && presentRollout(trace.serve.rollout),
    },
  };
}

function presentNode(node: NodeTrace): NodeTrace {
  if ('all' in node) return { ...node, all: node.all.map(presentNode) };
  if ('any' in node) return { ...node, any: node.any.map(presentNode) };
  if ('not' in node) return { ...node, not: presentNode(node.not) };
  const { segments, ...rest } = node;
  return {
    ...rest,
    attribute: attributeAtEdge(node.attribute),
    ...(segments ? { segments: segments.map(presentSegment) } : {}),
  };
}

function presentSegment({ conditions, ...rest }: SegmentTrace): SegmentTrace {
  return { ...rest, ...(conditions ? { conditions: presentNode(conditions) } : {}) };
}

const presentRollout = (rollout: RolloutTrace): RolloutTrace => ({
  ...rollout,
  attribute: attributeAtEdge(rollout.attribute),
});

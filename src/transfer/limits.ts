import { z } from 'zod';
import type { InputProblem } from '../platform/errors/errors.js';
import { storedJson, storedText, title } from '../platform/http/schema.js';
import { flawOfKey } from '../flags/flag-key.js';
import { MAX_TARGET_KEYS } from '../flags/flag-targeting.js';
import { MAX_KEYS } from '../segments/segment.js';
import type { PortableFlag, PortableSegment } from './portable.js';

/** What the API asks of whoever writes by it, of a document that comes by another way. */
const name = title(200).refine((text) => text.trim() === text, 'must not begin or end with a space');
const description = storedText(0, 1000).nullable();
const units = (most: number) => z.array(storedText(1, 1024)).max(most);
const conditionsSchema = storedJson.superRefine((value, issues) => {
  if (tooMuchIn(value))
    issues.addIssue({
      code: 'custom',
      message: 'must have at most 10000 values of at most 1000 characters each',
    });
});

const flagLimits = z.object({
  name,
  description,
  variants: z
    .array(z.object({ key: storedText(1, 100), value: storedJson }))
    .min(1)
    .max(100),
  tags: z.array(storedText(1, 50)).max(50).optional(),
  owner: storedText(1, 254).nullable().optional(),
  targets: z.array(z.object({ keys: units(MAX_TARGET_KEYS) })).max(100),
  prerequisites: z.array(z.object({ variants: z.array(z.string()).min(1).max(100) })).max(100),
  rules: z
    .array(
      z.object({
        id: storedText(1, 100),
        name: storedText(0, 200).nullable(),
        conditions: conditionsSchema,
        serve: storedJson,
      }),
    )
    .max(1_000),
  defaultServe: storedJson,
  placing: z.object({ salt: storedText(1, 200) }).optional(),
});

const segmentLimits = z.object({
  name,
  description,
  included: units(MAX_KEYS),
  excluded: units(MAX_KEYS),
  conditions: conditionsSchema.nullable(),
});

/** What of a flag could not be written by the API either; empty where all can be. */
export function flagProblems(flag: PortableFlag): InputProblem[] {
  return [...keyProblems(flawOfKey(flag.key)), ...problemsOf(flagLimits, flag)];
}

/** The same of a segment. */
export function segmentProblems(segment: PortableSegment): InputProblem[] {
  return [...keyProblems(flawOfKey(segment.key, [])), ...problemsOf(segmentLimits, segment)];
}

const keyProblems = (flaw: string | undefined): InputProblem[] =>
  flaw === undefined ? [] : [{ path: 'key', message: flaw }];

function problemsOf(schema: z.ZodType, thing: unknown): InputProblem[] {
  const result = schema.safeParse(thing);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
}

function tooMuchIn(value: unknown): boolean {
  if (typeof value === 'string') return value.length > 1_000;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) && value.length > 10_000) return true;
  return Object.values(value).some(tooMuchIn);
}

import { z } from 'zod';

/** 0 to 100 in steps of 0.01 at the edge, whole basis points inside. */
export const percent = z
  .number()
  .min(0)
  .max(100)
  // Both sides are the double nearest to the same decimal, so this is exact.
  .refine((value) => Math.round(value * 100) / 100 === value, 'must be in steps of 0.01')
  .transform((value) => Math.round(value * 100))
  // Not `multipleOf: 0.01`: most validators divide doubles, and refuse 16.67.
  .meta({
    override: { type: 'number', minimum: 0, maximum: 100 },
    description: 'Per cent, in steps of 0.01.',
    example: 25,
  });

/** The other way round. */
export const toPercent = (basisPoints: number): number => basisPoints / 100;

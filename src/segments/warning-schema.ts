import { z } from 'zod';

/** What the linter says of a flag or segment. */
export const warningResponse = z
  .object({
    code: z.string().meta({ description: 'Stable and machine-readable.', example: 'empty_segment' }),
    path: z.string().meta({ description: 'Where; empty for the whole.', example: 'conditions' }),
    message: z.string(),
  })
  .meta({
    id: 'Warning',
    example: { code: 'rule_matches_nobody', path: 'rules[2].conditions', message: 'matches nobody' },
  });

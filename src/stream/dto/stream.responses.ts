import { z } from 'zod';
import { SPEC_VERSION } from '../../core/index.js';

const keyed = z.looseObject({ key: z.string() });

const FLAG = {
  key: 'new-checkout',
  value_type: 'boolean',
  variants: [
    { key: 'on', value: true },
    { key: 'off', value: false },
  ],
  is_enabled: true,
  is_archived: false,
  off_variant: 'off',
  prerequisites: [],
  targets: [],
  rules: [],
  default_serve: { variant: 'on' },
  version: 2,
};

const RULESET = {
  spec_version: SPEC_VERSION,
  environment_key: 'production',
  revision: 42,
  flags: [FLAG],
  segments: [{ key: 'beta-users', included: ['alice'], excluded: [], conditions: null }],
};

export const rulesetResponse = z
  .object({
    spec_version: z.int().meta({ description: 'The version of this document.' }),
    environment_key: z.string(),
    revision: z.int().meta({ description: 'Counts the changes of the environment.' }),
    flags: z.array(keyed).meta({ description: 'Every flag, as this environment sees it.' }),
    segments: z.array(keyed).meta({ description: 'Every segment that flags may speak of.' }),
  })
  .meta({ id: 'Ruleset', example: RULESET });

const CHANGE = {
  environment_key: 'production',
  prev_revision: 42,
  revision: 43,
  flags: { put: [{ ...FLAG, is_enabled: false, version: 3 }], removed: [] },
  segments: { put: [], removed: ['beta-users'] },
};

export const STREAM_EXAMPLE = `retry: 1840

event: ruleset
id: 42-9f86d081884c
data: ${JSON.stringify(RULESET)}

event: change
id: 43-3fdba35f04dc
data: ${JSON.stringify(CHANGE)}

:

retry: 3120

event: closed
data: {"reason":"shutting_down"}

`;

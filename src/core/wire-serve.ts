import { Fields } from './fields.js';
import {
  type AllocationRange,
  HASH_VERSIONS,
  type JsonValue,
  type Problem,
  type Rollout,
  type Serve,
  TARGETING_KEY,
} from './model.js';

/** What a flag serves, as the ruleset document spells it; `parseServe` gives the same serve back. */
export function serializeServe(serve: Serve): JsonValue {
  if ('variant' in serve) return { variant: serve.variant };
  const { bucketBy, salt, hashVersion, coverage, ranges } = serve.rollout;
  return {
    rollout: {
      bucket_by: bucketBy,
      salt,
      hash_version: hashVersion,
      coverage,
      ranges: ranges.map(({ variant, from, to }) => ({ variant, from, to })),
    },
  };
}

/** Reads a serve as part of a whole, at `path` in it. */
export function readServe(input: unknown, path: string, problems: Problem[]): Serve {
  const fields = new Fields(input, path, problems);
  if (fields.has('variant') && fields.has('rollout')) {
    fields.problem('', 'must have either "variant" or "rollout", not both');
  }
  return fields.has('rollout')
    ? { rollout: readRollout(fields.get('rollout'), fields.at('rollout'), problems) }
    : { variant: fields.word('variant') };
}

function readRollout(input: unknown, path: string, problems: Problem[]): Rollout {
  const fields = new Fields(input, path, problems);
  return {
    bucketBy: fields.get('bucket_by') === undefined ? TARGETING_KEY : fields.word('bucket_by'),
    salt: fields.text('salt'),
    hashVersion: fields.oneOf('hash_version', HASH_VERSIONS),
    coverage: fields.count('coverage'),
    ranges: fields.each('ranges', (item, at) => readRange(item, at, problems)),
  };
}

function readRange(input: unknown, path: string, problems: Problem[]): AllocationRange {
  const fields = new Fields(input, path, problems);
  return { variant: fields.word('variant'), from: fields.count('from'), to: fields.count('to') };
}

import { describeKeys } from '../audit/described-keys.js';
import { serializeConditions } from '../core/index.js';
import type { WholeSegment } from './segment.js';

/**
 * A segment as the audit log shows it: the fields that people know from the API. A long list is
 * `{count, sha256}`, over the JSON of its sorted keys, and after a change also how many keys were `added` and `removed`.
 * @param before what it was, where it is told what became of it
 */
export function describeSegment(
  segment: Pick<WholeSegment, 'key' | 'name' | 'description' | 'conditions' | 'included' | 'excluded'>,
  before?: WholeSegment,
): Record<string, unknown> {
  const { key, name, description, conditions } = segment;
  return {
    key,
    name,
    description,
    included: describeKeys(segment.included, before?.included),
    excluded: describeKeys(segment.excluded, before?.excluded),
    conditions: conditions === null ? null : serializeConditions(conditions),
  };
}

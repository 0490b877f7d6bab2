import type { JsonValue } from '../core/index.js';
import { isDifferent } from '../flags/flag-comparison.js';

/** One field, as it is and as it is to be; `undefined`: not said. */
export interface Difference {
  readonly field: string;
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

/** The fields in which two documents are not the same. */
export function differencesOf(
  before: Readonly<Record<string, JsonValue>>,
  after: Readonly<Record<string, JsonValue>>,
): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((field) => ({ field, before: before[field], after: after[field] }))
    .filter((each) => isDifferent(each.before ?? null, each.after ?? null));
}

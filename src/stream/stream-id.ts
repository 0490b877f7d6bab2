import { createHash } from 'node:crypto';
import { SPEC_VERSION } from '../core/index.js';
import type { ServedState } from '../evaluation/ruleset-text.js';

const FORM = /^(\d{1,15})-[\da-f]{12}$/;

/**
 * Names a state of an environment, on every instance the same: `42-9f86d081884c`. The mark is drawn from the stamp (ADR 0011),
 * so that the same revision in another environment, or in another history of this one, has another name.
 */
export function streamIdOf({ environmentId, stamp, ruleset }: ServedState): string {
  const mark = createHash('sha256').update(`${SPEC_VERSION} ${environmentId} ${stamp}`).digest('hex');
  return `${ruleset.revision}-${mark.slice(0, 12)}`;
}

/** The revision that an id speaks of; `undefined` for what is no id. */
export function revisionIn(id: string): number | undefined {
  const revision = FORM.exec(id)?.[1];
  return revision === undefined ? undefined : Number(revision);
}

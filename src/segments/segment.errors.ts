import { Conflict, NotFound } from '../platform/errors/errors.js';
import type { SegmentUsage } from './segment.js';

export class SegmentNotFound extends NotFound {
  readonly code = 'segment_not_found';

  constructor(key: string, environmentKey: string) {
    super(`Segment '${key}' not found in environment '${environmentKey}'`);
  }
}

export class SegmentExists extends Conflict {
  readonly code = 'segment_exists';

  constructor(key: string, environmentKey: string) {
    super(`Segment '${key}' already exists in environment '${environmentKey}'`);
  }
}

const NAMED_AT_MOST = 10;

export class SegmentInUse extends Conflict {
  readonly code = 'segment_in_use';

  constructor(key: string, { flags, segments }: SegmentUsage) {
    const users = [...named('flag', flags), ...named('segment', segments)].join(' and ');
    super(`Segment '${key}' is used by ${users}. Take it out there first.`);
  }
}

function named(what: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const shown = keys.slice(0, NAMED_AT_MOST).map((key) => `'${key}'`);
  const more = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : '';
  return [`${what}${keys.length === 1 ? '' : 's'} ${shown.join(', ')}${more}`];
}

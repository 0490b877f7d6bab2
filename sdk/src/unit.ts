import type { Context } from './types.js';

/** Who a context speaks of, as rollouts see it: numbers are the same units as their decimal text. */
export function unitOf({ targetingKey, user_id: userId }: Context): string | undefined {
  const unit = targetingKey ?? userId;
  return typeof unit === 'string' || typeof unit === 'number' ? String(unit) : undefined;
}

/** What `track` tells beside the name. */
export interface TrackDetails {
  /** A number to sum up: an amount, a duration. */
  readonly value?: number;
  readonly [attribute: string]: unknown;
}

import type { Context } from './types.js';

/** Who a context speaks of, as rollouts see it: numbers are the same units as their decimal text. Nobody where it cannot be read. */
export function unitOf(context: Context): string | undefined {
  try {
    const { targetingKey, user_id: userId } = context;
    const unit = targetingKey ?? userId;
    return typeof unit === 'string' || typeof unit === 'number' ? String(unit) : undefined;
  } catch {
    return undefined;
  }
}

/** What `track` tells beside the name. */
export interface TrackDetails {
  /** A number to sum up: an amount, a duration. */
  readonly value?: number;
  readonly [attribute: string]: unknown;
}

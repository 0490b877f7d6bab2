import type { JsonValue } from './types.js';

/** Whether a value is what a caller with this fallback can take; without one, or with `null`, everything is. */
export const suits = (value: JsonValue, fallback: unknown): boolean =>
  fallback === undefined || fallback === null || typeof value === typeof fallback;

import type { Json } from '../support/api.js';

export const segmentPath = (key: string, environment = 'development'): string =>
  `/segments/${key}?environment_key=${environment}`;

/** Conditions that hold for those who are in one of the segments. */
export const inSegments = (...keys: string[]): Json => ({ any: [{ operator: 'in_segment', values: keys }] });

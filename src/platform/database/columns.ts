import type { ValueTransformer } from 'typeorm';

/** node-postgres gives `bigint` as text, since it may not fit a number. Ours count changes, and fit. */
export const countColumn: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

import type { CompiledSnapshot } from '../core/index.js';
import type { ServedState } from './ruleset-text.js';

/** What an instance serves in one environment. */
export interface HeldSnapshot extends ServedState {
  readonly revision: number;
  readonly compiled: CompiledSnapshot;
  /** Where it came from. */
  readonly source: 'postgres' | 'redis' | 'disk';
  /** When it was last known to be what the database has, in milliseconds since 1970. */
  readonly confirmedAt: number;
  /** Keys of flags that could not be read; each answers ERROR and harms no other. */
  readonly unreadable: readonly string[];
}

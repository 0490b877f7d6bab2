import { BUCKETS, type Serve } from '../core/index.js';
import { simpleView } from '../flags/flag-serve.js';
import type { FlagOverview, FlagView } from '../flags/flag.js';

/** A flag with as much of it as any of the systems knows. */
export interface PlainFlag {
  /** Positive, and the same as long as the flag lives. */
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly isEnabled: boolean;
  /** Per cent of users that get it while it is on, in steps of 0.01. */
  readonly percentage: number;
  /** Whether it is on for everybody without a look at who asks. */
  readonly isForEveryone: boolean;
  readonly environmentKey: string;
  readonly version: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export function plainFlag(flag: FlagView | FlagOverview): PlainFlag {
  return {
    id: numberOf(flag.id),
    key: flag.key,
    name: flag.name,
    description: flag.description,
    isEnabled: flag.isEnabled && flag.archivedAt === null,
    percentage: shareOf(flag) / 100,
    isForEveryone: simpleView(flag).type === 'boolean',
    environmentKey: flag.environmentKey,
    version: flag.version,
    createdAt: flag.createdAt.toISOString(),
    updatedAt: flag.updatedAt.toISOString(),
  };
}

/** A number for an id of ours: 48 of its random bits, so that a million flags share none, and every language can hold it. */
export const numberOf = (id: string): number =>
  Number.parseInt(id.replaceAll('-', '').slice(0, 12).padEnd(1, '0'), 16) + 1;

/** What the default serve comes to, in basis points; rules and listed users are beyond a percentage. */
function shareOf({ valueType, variants, defaultServe }: FlagView | FlagOverview): number {
  const isOn = (variant: string): boolean =>
    valueType !== 'boolean' || variants.find(({ key }) => key === variant)?.value === true;
  return shareIn(defaultServe, isOn);
}

function shareIn(serve: Serve, isOn: (variant: string) => boolean): number {
  if ('variant' in serve) return isOn(serve.variant) ? BUCKETS : 0;
  const { coverage, ranges } = serve.rollout;
  const on = ranges.filter(({ variant }) => isOn(variant)).reduce((sum, { from, to }) => sum + to - from, 0);
  return Math.round((coverage * on) / BUCKETS);
}

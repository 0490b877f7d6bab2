import {
  allocate,
  BUCKETS,
  TARGETING_KEY,
  type Condition,
  type ConditionGroup,
  type ConditionNode,
  type Flag,
  type HashVersion,
  type OperatorName,
  type Rollout,
  type Scalar,
  type Segment,
  type Serve,
  type Variant,
  type Weight,
} from '../core/index.js';

interface Described {
  readonly name: string;
  readonly description: string | null;
  /** Where it belongs; `undefined` where its document does not say. */
  readonly environmentKey: string | undefined;
}

/** A flag on its way from one system to another. */
export interface PortableFlag extends Described, Omit<Flag, 'isArchived' | 'clientVisible' | 'version'> {
  /** `undefined`: its document does not say, and what there is stays. */
  readonly tags?: readonly string[] | undefined;
  readonly owner?: string | null | undefined;
  readonly clientVisible?: boolean | undefined;
  /** By which rollouts to come place their users; of a flag without one. */
  readonly placing?: { readonly hashVersion: HashVersion; readonly salt: string } | undefined;
}

export interface PortableSegment extends Described, Segment {}

/** Something to tell of one thing in a document. */
export interface Remark {
  /** As in `flag 'new-checkout'`. */
  readonly subject: string;
  readonly message: string;
}

/** What became of a whole document. */
export interface Portable {
  readonly segments: readonly PortableSegment[];
  readonly flags: readonly PortableFlag[];
  /** What means something else here than it did there, or had to be left out. */
  readonly notes: readonly Remark[];
  /** What could not be carried over at all. */
  readonly refused: readonly Remark[];
}

export const BOOLEAN_VARIANTS: readonly Variant[] = [
  { key: 'on', value: true },
  { key: 'off', value: false },
];

/** The condition that asks so, nothing else said. */
export const condition = (
  attribute: string,
  operator: OperatorName,
  values: readonly Scalar[] = [],
  more: Partial<Condition> = {},
): Condition => ({ attribute, operator, values, negate: false, caseInsensitive: false, ...more });

/** The opposite of any condition. */
export const opposite = (node: ConditionNode): ConditionNode =>
  'operator' in node ? { ...node, negate: !node.negate } : 'not' in node ? node.not : { not: node };

/** A group that holds when all of these do. */
export const allOf = (nodes: readonly ConditionNode[]): ConditionGroup => {
  const [only] = nodes;
  return nodes.length === 1 && only && !('operator' in only) ? only : { all: nodes };
};

/** @param coverage basis points @param weights 10 000 in sum */
export const rolloutOf = (
  placing: Pick<Rollout, 'salt'> & Partial<Pick<Rollout, 'bucketBy' | 'hashVersion'>>,
  coverage: number,
  weights: readonly Weight[],
): Serve => ({
  rollout: {
    bucketBy: placing.bucketBy ?? TARGETING_KEY,
    salt: placing.salt,
    hashVersion: placing.hashVersion ?? 'murmur3',
    coverage,
    ranges: allocate(weights, []),
  },
});

/** Nothing of its own for anybody: the off variant, or the caller's default where there is none. */
export const nothing = (salt: string, variant: string): Serve =>
  rolloutOf({ salt }, 0, [{ variant, basisPoints: BUCKETS }]);

/** Any weights as shares of 10 000, the largest remainders rounded up; `undefined` when they are none. */
export function sharesOf(weights: readonly { variant: string; weight: number }[]): Weight[] | undefined {
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  if (!(sum > 0) || !Number.isFinite(sum)) return undefined;
  const shares = weights.map(({ variant, weight }) => ({ variant, exact: (weight / sum) * BUCKETS }));
  const rest = BUCKETS - shares.reduce((total, { exact }) => total + Math.floor(exact), 0);
  const raised = new Set(
    [...shares]
      .sort((a, b) => (b.exact % 1) - (a.exact % 1) || shares.indexOf(a) - shares.indexOf(b))
      .slice(0, rest),
  );
  return shares
    .map((share) => ({
      variant: share.variant,
      basisPoints: Math.floor(share.exact) + (raised.has(share) ? 1 : 0),
    }))
    .filter(({ basisPoints }) => basisPoints > 0);
}

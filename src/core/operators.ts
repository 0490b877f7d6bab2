import type { Operator } from './operator.js';
import { after, before } from './operators-date.js';
import { equals, isIn } from './operators-equality.js';
import { containsAll, containsAny } from './operators-list.js';
import { inCidr } from './operators-network.js';
import { between, gt, gte, lt, lte } from './operators-number.js';
import { semverEq, semverGt, semverGte, semverInRange, semverLt, semverLte } from './operators-semver.js';
import { contains, endsWith, matches, startsWith } from './operators-text.js';
import { bucket, inSegment, isSet } from './operators-unit.js';
import type { OperatorName } from './targeting.js';

/**
 * What each operator means. A new one: its name in targeting.ts, its meaning in the operators-*.ts it is akin to, a line here, and
 * its cases in test/conformance/operators.json.
 */
export const OPERATOR: Readonly<Record<OperatorName, Operator>> = {
  equals,
  in: isIn,
  contains,
  starts_with: startsWith,
  ends_with: endsWith,
  matches,
  gt,
  gte,
  lt,
  lte,
  between,
  semver_eq: semverEq,
  semver_gt: semverGt,
  semver_gte: semverGte,
  semver_lt: semverLt,
  semver_lte: semverLte,
  semver_in_range: semverInRange,
  before,
  after,
  is_set: isSet,
  contains_any: containsAny,
  contains_all: containsAll,
  in_cidr: inCidr,
  in_segment: inSegment,
  bucket,
};

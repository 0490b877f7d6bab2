import { conditionsOf, segmentsUsedBy } from './conditions.js';
import { constantOf, isEmpty } from './constant.js';
import { BUCKETS, type Rollout, type Serve } from './model.js';
import type { Flag, Snapshot } from './snapshot.js';
import type { ConditionGroup, Segment } from './targeting.js';
import { serializeConditions } from './wire-targeting.js';

/** Something that is allowed, and probably not meant. */
export interface Warning {
  readonly code:
    | 'unreachable_rule'
    | 'rule_matches_nobody'
    | 'variant_never_served'
    | 'empty_segment'
    | 'percentage_without_effect'
    | 'percentage_too_fine';
  /** In the spelling of the wire: `rules[2].conditions`. */
  readonly path: string;
  readonly message: string;
}

/** What looks wrong with a flag, on or off, though it can be saved. Says nothing of a flag or segment that cannot be read. */
export function lint(flag: Flag, snapshot: Pick<Snapshot, 'segments'>): Warning[] {
  const segments = readable(snapshot);
  const served = new Set<string>(
    flag.targets.flatMap(({ variant, keys }) => (keys.length > 0 ? variant : [])),
  );
  const warnings: Warning[] = [];
  const earlier = new Map<string, string>();
  let catchAll: string | undefined;
  for (const [index, { id, conditions, serve }] of flag.rules.entries()) {
    const path = `rules[${index}]`;
    const constant = constantOf(conditions, segments);
    const spelling = JSON.stringify(serializeConditions(conditions));
    const cover = catchAll ?? earlier.get(spelling);
    if (constant === false) {
      const message = 'matches nobody';
      warnings.push({ code: 'rule_matches_nobody', path: `${path}.conditions`, message });
    } else if (cover !== undefined) {
      const message = `is never reached: rule '${cover}' matches everybody who would get here`;
      warnings.push({ code: 'unreachable_rule', path, message });
    } else for (const variant of servedBy(serve, flag)) served.add(variant);
    warnings.push(...lintServe(serve, `${path}.serve`, flag), ...lintConditions(conditions, path, segments));
    if (constant === true) catchAll ??= id;
    earlier.set(spelling, earlier.get(spelling) ?? id);
  }
  if (catchAll === undefined) for (const variant of servedBy(flag.defaultServe, flag)) served.add(variant);
  warnings.push(...lintServe(flag.defaultServe, 'default_serve', flag));
  for (const [index, { key }] of flag.variants.entries()) {
    if (served.has(key) || key === flag.offVariant) continue;
    const message = `'${key}' is served to nobody`;
    warnings.push({ code: 'variant_never_served', path: `variants[${index}]`, message });
  }
  return warnings;
}

/** What looks wrong with a segment. */
export function lintSegment(segment: Segment, snapshot: Pick<Snapshot, 'segments'>): Warning[] {
  const segments = readable(snapshot).set(segment.key, segment);
  const empty: Warning[] = isEmpty(segment, segments)
    ? [{ code: 'empty_segment', path: '', message: 'has nobody in it' }]
    : [];
  return segment.conditions === null
    ? empty
    : [...empty, ...lintConditions(segment.conditions, '', segments)];
}

function readable({ segments }: Pick<Snapshot, 'segments'>): Map<string, Segment> {
  return new Map(segments.flatMap((segment) => ('document' in segment ? [] : [[segment.key, segment]])));
}

function lintConditions(
  conditions: ConditionGroup,
  path: string,
  segments: ReadonlyMap<string, Segment>,
): Warning[] {
  const at = path === '' ? 'conditions' : `${path}.conditions`;
  const warnings: Warning[] = [];
  for (const [where, { operator, values }] of conditionsOf(conditions, at)) {
    if (operator === 'bucket' && values[0] === 0 && values[1] === BUCKETS) {
      const message = 'takes everybody';
      warnings.push({ code: 'percentage_without_effect', path: where, message });
    }
  }
  for (const key of segmentsUsedBy(conditions)) {
    const segment = segments.get(key);
    if (segment === undefined || !isEmpty(segment, segments)) continue;
    warnings.push({ code: 'empty_segment', path: at, message: `segment '${key}' has nobody in it` });
  }
  return warnings;
}

function servedBy(serve: Serve, { offVariant }: Flag): string[] {
  if ('variant' in serve) return [serve.variant];
  const { coverage, ranges } = serve.rollout;
  const inside = coverage > 0 ? ranges.map(({ variant }) => variant) : [];
  return coverage < BUCKETS && offVariant !== null ? [...inside, offVariant] : inside;
}

/** A rollout that comes to the same for everybody who has a unit. */
function lintServe(serve: Serve, path: string, flag: Flag): Warning[] {
  if ('variant' in serve) return [];
  const coarse = lintGrain(serve.rollout, path);
  const variants = new Set(servedBy(serve, flag));
  if (variants.size > 1) return coarse;
  if (serve.rollout.coverage > 0 && serve.rollout.coverage < BUCKETS && flag.offVariant === null)
    return coarse;
  const [variant] = variants;
  const message =
    variant === undefined ? 'serves nobody' : `serves '${variant}' to everybody, inside and outside`;
  return [{ code: 'percentage_without_effect', path: `${path}.rollout`, message }];
}

/** Imported hashes know whole percents only, so the share of people is another than the one that was asked for. */
function lintGrain({ hashVersion, coverage, ranges }: Rollout, path: string): Warning[] {
  if (hashVersion === 'murmur3') return [];
  const isWhole = (basisPoints: number): boolean => basisPoints % 100 === 0;
  if (isWhole(coverage) && ranges.every(({ to }) => isWhole(to))) return [];
  const message = `'${hashVersion}' knows whole percents only, and rounds these shares`;
  return [{ code: 'percentage_too_fine', path: `${path}.rollout`, message }];
}

/** What a flag means. Pure: nothing in here waits, throws, reads a clock or knows where it runs. */
export { allocate, type Weight } from './allocation.js';
export { bucket } from './bucketing.js';
export { checkServe, checkVariants, FLAG_KEY_PATTERN, VARIANT_KEY_PATTERN } from './check.js';
export { checkConditions } from './check-conditions.js';
export { checkFlag, checkPrerequisites, checkRules, checkSegment, checkTargets } from './check-targeting.js';
export { compile, type CompileOptions } from './compile.js';
export { compileInParts } from './compile-in-parts.js';
export type { CompiledSnapshot } from './compiled.js';
export { segmentsUsedBy } from './conditions.js';
export { failed, flagNotFound } from './decision.js';
export { evaluate, evaluateAll, explain } from './evaluate.js';
export { decideAll, flatten, type FlatFlags } from './flat.js';
export { murmur3 } from './hash.js';
export { readInstant } from './instant.js';
export { lint, lintSegment, type Warning } from './lint.js';
export { matcherOf, type Matcher } from './matcher.js';
export * from './model.js';
export type { PatternEngine, Surroundings } from './operator.js';
export { MAX_MATCHED_LENGTH, MAX_PATTERN_LENGTH } from './operators-text.js';
export { recompile } from './recompile.js';
export { type ParseResult, parseSnapshot, type Ruleset, serializeSnapshot, SPEC_VERSION } from './parse.js';
export {
  parseConditions,
  parsePrerequisites,
  parseRules,
  parseSegment,
  parseServe,
  parseTargets,
} from './parse-parts.js';
export { under } from './problems.js';
export { adoptEqual, applyChange, type KeyedChange, type RulesetChange } from './ruleset-change.js';
export { changedFlags, rulesetReader, type ReadRuleset } from './ruleset-reader.js';
export { discreetSentence, reasonSentence } from './sentence.js';
export * from './snapshot.js';
export * from './targeting.js';
export type * from './trace.js';
export { serializeServe } from './wire-serve.js';
export {
  serializeConditions,
  serializePrerequisite,
  serializeRule,
  serializeSegment,
  serializeTarget,
} from './wire-targeting.js';

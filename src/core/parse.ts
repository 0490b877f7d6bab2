import { checkFlag, checkSegment } from './check-targeting.js';
import { Fields } from './fields.js';
import { copyJson } from './json.js';
import { type JsonValue, type Problem, VALUE_TYPES, type Variant } from './model.js';
import { under } from './problems.js';
import type { Flag, Snapshot, Unreadable } from './snapshot.js';
import type { Segment } from './targeting.js';
import { readServe, serializeServe } from './wire-serve.js';
import {
  readPrerequisite,
  readRule,
  readSegment,
  readTarget,
  serializeSegment,
  serializePrerequisite,
  serializeRule,
  serializeTarget,
} from './wire-targeting.js';

/**
 * The version of the ruleset document. Fields may be added within a version; a change of meaning raises it. Within what decides who
 * gets what (targets, rules, conditions, prerequisites) a reader refuses, flag by flag, what it does not know, so that
 * new words need no new version.
 */
export const SPEC_VERSION = 1;

/** A snapshot as JSON: what the service stores, publishes, and sends to SDKs. */
export interface Ruleset {
  readonly spec_version: typeof SPEC_VERSION;
  readonly environment_key: string;
  readonly revision: number;
  readonly flags: readonly JsonValue[];
  readonly segments: readonly JsonValue[];
}

export type ParseResult =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a ruleset document. Never throws, whatever comes in, and shares nothing with it: values are copied and frozen.
 *
 * Only a document that cannot be placed at all (not a ruleset, another spec version, no environment or revision) is refused. A flag or segment
 * that cannot be read stays in the snapshot as `Unreadable` and does the others no harm; so do flags of one
 * key, all of them, because which one was meant cannot be known. A flag without a key cannot be asked for and is left out.
 * @param input what JSON.parse gave; unknown fields are ignored, but not within rules, conditions, targets and prerequisites
 * @param memory of earlier calls: documents that were read then, the very same objects, are not read again
 * @returns the snapshot, and the problems of its unreadable flags; or the problems that leave no snapshot
 */
export function parseSnapshot(input: unknown, memory?: ReadMemory): ParseResult {
  try {
    return readSnapshot(input, memory);
  } catch {
    // JSON cannot do this; a getter, a proxy or a very deep structure can.
    return { ok: false, problems: [{ path: '', message: 'must be plain JSON data' }] };
  }
}

/** The document of a snapshot, ready for JSON.stringify; `parseSnapshot` gives the same snapshot back. */
export function serializeSnapshot(snapshot: Snapshot): Ruleset {
  return {
    spec_version: SPEC_VERSION,
    environment_key: snapshot.environmentKey,
    revision: snapshot.revision,
    flags: snapshot.flags.map((flag) => ('document' in flag ? flag.document : writeFlag(flag))),
    segments: snapshot.segments.map((segment) =>
      'document' in segment ? segment.document : serializeSegment(segment),
    ),
  };
}

function writeFlag(flag: Flag): JsonValue {
  return {
    key: flag.key,
    value_type: flag.valueType,
    variants: flag.variants.map(({ key, value }) => ({ key, value })),
    is_enabled: flag.isEnabled,
    is_archived: flag.isArchived,
    client_visible: flag.clientVisible,
    off_variant: flag.offVariant,
    prerequisites: flag.prerequisites.map(serializePrerequisite),
    targets: flag.targets.map(serializeTarget),
    rules: flag.rules.map(serializeRule),
    default_serve: serializeServe(flag.defaultServe),
    version: flag.version,
  };
}

function readSnapshot(input: unknown, memory = readMemory()): ParseResult {
  const fields = new Fields(input, '', []);
  const version = fields.get('spec_version');
  if (fields.isObject && version !== SPEC_VERSION) fields.problem('spec_version', `must be ${SPEC_VERSION}`);
  const environmentKey = fields.name('environment_key');
  const revision = fields.count('revision');
  const flagDocuments = fields.list('flags');
  const segmentDocuments = fields.optional('segments', () => fields.list('segments'), []);
  if (fields.problems.length > 0) return { ok: false, problems: fields.problems };

  const problems: Problem[] = [];
  const flags = readAll('flags', flagDocuments, readFlag, memory.flags, problems);
  const segments = readAll('segments', segmentDocuments, readWholeSegment, memory.segments, problems);
  return { ok: true, snapshot: { environmentKey, revision, flags, segments }, problems };
}

/** Reads things with keys of their own, one by one, and keeps what cannot be read as it is. */
function readAll<Thing extends { readonly key: string }>(
  name: 'flags' | 'segments',
  documents: readonly unknown[],
  read: (document: unknown) => { thing: Thing; problems: Problem[] },
  known: WeakMap<object, Read<Thing>>,
  problems: Problem[],
): (Thing | Unreadable)[] {
  const uses = new Map<string, number>();
  for (const document of documents) {
    const key = keyOf(document);
    if (key !== undefined) uses.set(key, (uses.get(key) ?? 0) + 1);
  }
  const things: (Thing | Unreadable)[] = [];
  for (const [index, document] of documents.entries()) {
    const key = keyOf(document);
    const isUnique = key === undefined || uses.get(key) === 1;
    const { thing, problems: found } = isUnique
      ? readOnce(document, key, read, known)
      : unreadableTwin(name, key, document, read);
    if (thing !== undefined) things.push(thing);
    // One by one: there may be more than a call takes arguments.
    for (const problem of under(`${name}[${index}]`, found)) problems.push(problem);
  }
  return things;
}

/** What one document became; `undefined`: nothing that can be asked for. */
interface Read<Thing> {
  readonly thing: Thing | Unreadable | undefined;
  readonly problems: readonly Problem[];
}

/** What documents became, for as long as the documents are kept. */
export interface ReadMemory {
  readonly flags: WeakMap<object, Read<Flag>>;
  readonly segments: WeakMap<object, Read<Segment>>;
}

export const readMemory = (): ReadMemory => ({ flags: new WeakMap(), segments: new WeakMap() });

function readOnce<Thing extends { readonly key: string }>(
  document: unknown,
  key: string | undefined,
  read: (document: unknown) => { thing: Thing; problems: Problem[] },
  known: WeakMap<object, Read<Thing>>,
): Read<Thing> {
  const isObject = typeof document === 'object' && document !== null;
  const before = isObject ? known.get(document) : undefined;
  if (before) return before;
  const { thing, problems } = read(document);
  const result =
    problems.length === 0
      ? { thing, problems }
      : { thing: key === undefined ? undefined : unreadable(key, document, problems), problems };
  if (isObject) known.set(document, result);
  return result;
}

function unreadableTwin(
  name: string,
  key: string,
  document: unknown,
  read: (document: unknown) => { problems: Problem[] },
): Read<never> {
  const { problems } = read(document);
  problems.push({ path: 'key', message: `'${key}' is used by more than one of the ${name}` });
  return { thing: unreadable(key, document, problems), problems };
}

const FLAWS_KEPT = 5;

function unreadable(key: string, document: unknown, flaws: readonly Problem[]): Unreadable {
  return { key, document: copyJson(document) ?? Object.freeze({ key }), flaws: flaws.slice(0, FLAWS_KEPT) };
}

function keyOf(document: unknown): string | undefined {
  return new Fields(document, '', []).name('key') || undefined;
}

/** The flag means something only when there are no problems. */
function readFlag(document: unknown): { thing: Flag; problems: Problem[] } {
  const problems: Problem[] = [];
  const fields = new Fields(document, '', problems);
  const list = <Item>(name: string, read: (item: unknown, path: string, into: Problem[]) => Item): Item[] =>
    fields.optional(name, () => fields.each(name, (item, path) => read(item, path, problems)), []);
  const flag: Flag = {
    key: fields.name('key'),
    valueType: fields.oneOf('value_type', VALUE_TYPES),
    variants: fields.each('variants', (item, path) => readVariant(item, path, problems)),
    isEnabled: fields.truth('is_enabled'),
    isArchived: fields.truth('is_archived'),
    // Documents of before it was there say nothing of it.
    clientVisible: fields.optional('client_visible', () => fields.truth('client_visible'), false),
    offVariant: (fields.get('off_variant') ?? null) === null ? null : fields.name('off_variant'),
    prerequisites: list('prerequisites', readPrerequisite),
    targets: list('targets', readTarget),
    rules: list('rules', readRule),
    defaultServe: readServe(fields.get('default_serve'), 'default_serve', problems),
    version: fields.count('version'),
  };
  return { thing: flag, problems: problems.length === 0 ? checkFlag(flag) : problems };
}

function readWholeSegment(document: unknown): { thing: Segment; problems: Problem[] } {
  const problems: Problem[] = [];
  const segment = readSegment(document, '', problems);
  return { thing: segment, problems: problems.length === 0 ? checkSegment(segment) : problems };
}

function readVariant(input: unknown, path: string, problems: Problem[]): Variant {
  const fields = new Fields(input, path, problems);
  return { key: fields.name('key'), value: fields.json('value') };
}

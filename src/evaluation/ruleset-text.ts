import { SPEC_VERSION } from '../core/index.js';
import type { SnapshotDocument, SnapshotParts } from '../flags/flag-snapshot.reader.js';

/** Flags or segments, each as JSON, by key and in the order of their keys. */
type Texts = ReadonlyMap<string, string>;
const IN_PIECE = 200;

/** A state of an environment that can be served. */
export interface ServedState {
  readonly environmentId: string;
  /** See `Environment.stamp`. */
  readonly stamp: string;
  readonly ruleset: RulesetText;
}

/** A ruleset as the JSON of its parts, so that two can be compared and either be sent without being parsed or kept as objects. */
export class RulesetText {
  private constructor(
    readonly environmentKey: string,
    readonly revision: number,
    private readonly flags: Texts,
    private readonly segments: Texts,
  ) {}

  static of(ruleset: SnapshotDocument['ruleset']): RulesetText {
    const { environment_key: key, revision, flags, segments } = ruleset;
    return new RulesetText(key, revision, inOrder(textsOf(flags)), inOrder(textsOf(segments)));
  }

  static ofParts({ environmentKey, revision, flags, segments }: SnapshotParts): RulesetText {
    return new RulesetText(environmentKey, revision, inOrder([...flags]), inOrder(textsOf(segments)));
  }

  /** This ruleset with other flags in place of those of the same keys, or new. @param flags documents of flags */
  with(revision: number, flags: readonly unknown[]): RulesetText {
    const texts = new Map(this.flags);
    for (const [key, text] of textsOf(flags)) texts.set(key, text);
    const isSorted = texts.size === this.flags.size;
    return new RulesetText(
      this.environmentKey,
      revision,
      isSorted ? texts : inOrder([...texts]),
      this.segments,
    );
  }

  /** The document, as `parseSnapshot` of the core reads it. */
  json(): string {
    return [...this.pieces()].join('');
  }

  /** `json`, piece by piece: as a whole it is large, and garbage right afterwards. */
  *pieces(): Generator<string> {
    const head = `"spec_version":${SPEC_VERSION},"environment_key":${JSON.stringify(this.environmentKey)}`;
    yield `{${head},"revision":${this.revision},"flags":[`;
    yield* piecesOf(this.flags);
    yield '],"segments":[';
    yield* piecesOf(this.segments);
    yield ']}';
  }

  /** What leads from `before` to this, as JSON of a `RulesetChange` of the core. */
  changeSince(before: RulesetText): string {
    const head = `"environment_key":${JSON.stringify(this.environmentKey)},"prev_revision":${before.revision}`;
    const flags = keyedChange(before.flags, this.flags);
    const segments = keyedChange(before.segments, this.segments);
    return `{${head},"revision":${this.revision},"flags":${flags},"segments":${segments}}`;
  }

  equals(other: RulesetText): boolean {
    return (
      this.revision === other.revision &&
      isSame(this.flags, other.flags) &&
      isSame(this.segments, other.segments)
    );
  }
}

type Text = readonly [key: string, json: string];

function textsOf(things: unknown): Text[] {
  const list = Array.isArray(things) ? (things as readonly { readonly key: string }[]) : [];
  return list.map((thing) => [thing.key, JSON.stringify(thing)]);
}

/** The database has each key once, and both sides of a change must agree on an order. */
const inOrder = (texts: Text[]): Texts => new Map(texts.sort(([a], [b]) => (a < b ? -1 : 1)));

function keyedChange(before: Texts, now: Texts): string {
  const put: string[] = [];
  for (const [key, text] of now) if (before.get(key) !== text) put.push(text);
  const removed = [...before.keys()].filter((key) => !now.has(key));
  return `{"put":[${put.join()}],"removed":${JSON.stringify(removed)}}`;
}

function* piecesOf(texts: Texts): Generator<string> {
  const list = [...texts.values()];
  for (let at = 0; at < list.length; at += IN_PIECE)
    yield (at === 0 ? '' : ',') + list.slice(at, at + IN_PIECE).join();
}

function isSame(a: Texts, b: Texts): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, text] of a) if (b.get(key) !== text) return false;
  return true;
}

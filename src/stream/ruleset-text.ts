import { SPEC_VERSION } from '../core/index.js';
import type { SnapshotDocument } from '../flags/flag-snapshot.reader.js';

/** Flags or segments, each as JSON, by key and in the order of their keys. */
type Texts = ReadonlyMap<string, string>;

/** A ruleset as the JSON of its parts, so that two can be compared and either be sent without being parsed or kept as objects. */
export class RulesetText {
  private constructor(
    private readonly environmentKey: string,
    readonly revision: number,
    private readonly flags: Texts,
    private readonly segments: Texts,
  ) {}

  static of(ruleset: SnapshotDocument['ruleset']): RulesetText {
    const { environment_key: key, revision, flags, segments } = ruleset;
    return new RulesetText(key, revision, textsOf(flags), textsOf(segments));
  }

  /** The document, as `parseSnapshot` of the core reads it. */
  json(): string {
    const head = `"spec_version":${SPEC_VERSION},"environment_key":${JSON.stringify(this.environmentKey)}`;
    return `{${head},"revision":${this.revision},"flags":${listOf(this.flags)},"segments":${listOf(this.segments)}}`;
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

/** The database has each key once, and both sides of a change must agree on an order. */
function textsOf(things: unknown): Texts {
  const list = Array.isArray(things) ? (things as readonly { readonly key: string }[]) : [];
  const texts = list.map((thing) => [thing.key, JSON.stringify(thing)] as const);
  return new Map(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function keyedChange(before: Texts, now: Texts): string {
  const put = [...now].filter(([key, text]) => before.get(key) !== text).map(([, text]) => text);
  const removed = [...before.keys()].filter((key) => !now.has(key));
  return `{"put":[${put.join()}],"removed":${JSON.stringify(removed)}}`;
}

const listOf = (texts: Texts): string => `[${[...texts.values()].join()}]`;

const isSame = (a: Texts, b: Texts): boolean =>
  a.size === b.size && [...a].every(([key, text]) => b.get(key) === text);

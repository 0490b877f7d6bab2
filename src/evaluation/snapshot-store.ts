import { Inject, Injectable, Logger } from '@nestjs/common';
import { compile, compileInParts, parseSnapshot, recompile, type CompiledSnapshot } from '../core/index.js';
import type { EnvironmentRevision } from '../environments/environment.js';
import type { SnapshotChange, SnapshotDocument, SnapshotParts } from '../flags/flag-snapshot.reader.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { EventBus } from '../platform/events/event-bus.js';
import { PATTERN_ENGINE, type LinearPatterns } from '../platform/patterns/pattern-engine.js';
import { SnapshotDropped, SnapshotSwapped } from './evaluation.events.js';
import type { HeldSnapshot } from './held-snapshot.js';
import { RulesetText } from './ruleset-text.js';

/** After so long without being able to ask, or after missing three polls in a row, a snapshot is called stale. */
const STALE_AFTER_MS = 30_000;
const STALE_AFTER_POLLS = 3;
/** So many become garbage at once. */
const FLAGS_IN_PART = 1_000;

/** The compiled snapshot of every environment, in memory: all that an evaluation reads. */
@Injectable()
export class SnapshotStore {
  private readonly logger = new Logger(SnapshotStore.name);
  private readonly held = new Map<string, HeldSnapshot>();
  private readonly staleAfterMs: number;
  private isComplete = false;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(PATTERN_ENGINE) private readonly patterns: LinearPatterns,
    private readonly events: EventBus,
  ) {
    this.staleAfterMs = Math.max(STALE_AFTER_MS, STALE_AFTER_POLLS * config.revisionPollSeconds * 1000);
  }

  /** What is served in an environment now; `undefined` when it is unknown here. */
  get(environmentKey: string): HeldSnapshot | undefined {
    return this.held.get(environmentKey);
  }

  /** All that is held, by environment key. */
  all(): ReadonlyMap<string, HeldSnapshot> {
    return this.held;
  }

  /** Where each environment that is held stands. */
  revisions(): EnvironmentRevision[] {
    return [...this.held].map(([key, held]) => ({
      id: held.environmentId,
      key,
      revision: held.revision,
      stamp: held.stamp,
    }));
  }

  /** Whether anything can be answered. */
  isReady(): boolean {
    return this.isComplete || this.held.size > 0;
  }

  /** Whether an environment that is not held does not exist: the database was asked since the start. */
  get knowsAll(): boolean {
    return this.isComplete;
  }

  markComplete(): void {
    this.isComplete = true;
  }

  /** What came from disk may have been overtaken while nobody looked, however young it is. */
  isStale({ confirmedAt, source }: HeldSnapshot, now = Date.now()): boolean {
    return source === 'disk' || now - confirmedAt > this.staleAfterMs;
  }

  /** Compiles a snapshot and serves it. @returns whether it could be read; if not, what was served stays */
  hold(document: SnapshotDocument, source: HeldSnapshot['source'], confirmedAt: number): boolean {
    const { environmentId, stamp, ruleset } = document;
    const parsed = parseSnapshot(ruleset);
    if (!parsed.ok) {
      const problems = parsed.problems.slice(0, 5);
      this.logger.error(
        `A snapshot of environment ${environmentId} from ${source} cannot be read and was not taken: ${JSON.stringify(problems)}`,
      );
      return false;
    }
    const compiled = compile(parsed.snapshot, { patterns: this.patterns });
    this.reportUnreadable(compiled, [...parsed.problems, ...compiled.problems]);
    this.swap({
      environmentId,
      stamp,
      ruleset: RulesetText.of(ruleset),
      revision: parsed.snapshot.revision,
      compiled,
      source,
      confirmedAt,
      unreadable: compiled.unreadable,
    });
    return true;
  }

  /**
   * Compiles a snapshot part by part and serves it.
   * @returns whether that could be; if not, what was served stays, and the whole is to be held
   */
  holdParts(parts: SnapshotParts, confirmedAt: number): boolean {
    const { environmentId, stamp, environmentKey, revision, segments, flags } = parts;
    const read = function* (): Generator<unknown[]> {
      for (let at = 0; at < flags.length; at += FLAGS_IN_PART)
        yield flags.slice(at, at + FLAGS_IN_PART).map(([, json]): unknown => JSON.parse(json));
    };
    const compiled = compileInParts({ environmentKey, revision, segments }, read, {
      patterns: this.patterns,
    });
    if (!compiled) return false;
    const ruleset = RulesetText.ofParts(parts);
    this.swap({
      environmentId,
      stamp,
      ruleset,
      revision,
      compiled,
      source: 'postgres',
      confirmedAt,
      unreadable: [],
    });
    return true;
  }

  /**
   * Serves what a change makes of what is held, in time that depends on the change.
   * @returns whether that could be; if not, what was served stays, and the whole is to be held
   */
  holdChange(held: HeldSnapshot, change: SnapshotChange, confirmedAt: number): boolean {
    const { stamp, revision, flags, flagCount, segmentCount, mayHaveOtherSegments } = change;
    // Segments that cannot be asked are not among the compiled ones: then the counts differ, and the whole is read.
    if (mayHaveOtherSegments || segmentCount !== held.compiled.segments.size) return false;
    const compiled = recompile(held.compiled, revision, flags, { patterns: this.patterns });
    if (compiled?.flags.size !== flagCount) return false;
    const ruleset = held.ruleset.with(revision, flags);
    this.swap({ ...held, stamp, ruleset, revision, compiled, source: 'postgres', confirmedAt });
    return true;
  }

  private swap(held: HeldSnapshot): void {
    this.held.set(held.ruleset.environmentKey, held);
    void this.events.publish(new SnapshotSwapped(held));
  }

  /** What is served was just found to be what the database has. */
  confirm({ id, key, revision, stamp }: EnvironmentRevision, now: number): void {
    const held = this.held.get(key);
    const isSame = held?.environmentId === id && held.revision === revision && held.stamp === stamp;
    if (isSame) this.held.set(key, { ...held, confirmedAt: now });
  }

  /** @returns what was served until now */
  drop(environmentKey: string): HeldSnapshot | undefined {
    const held = this.held.get(environmentKey);
    this.held.delete(environmentKey);
    if (held) void this.events.publish(new SnapshotDropped(environmentKey));
    return held;
  }

  /** Once for each set of flags, not once for each change of others. */
  private reportUnreadable(
    { environmentKey: environment, unreadable }: CompiledSnapshot,
    problems: readonly object[],
  ): void {
    if (unreadable.length === 0 || this.held.get(environment)?.unreadable.join() === unreadable.join())
      return;
    const told = JSON.stringify(problems.slice(0, 20));
    this.logger.error(
      `${unreadable.length} flag(s) of '${environment}' cannot be read and answer ERROR: ${told}`,
    );
  }
}

import { Injectable } from '@nestjs/common';
import type { CompiledSnapshot } from '../core/index.js';
import { SnapshotDropped, SnapshotSwapped } from '../evaluation/evaluation.events.js';
import type { HeldSnapshot } from '../evaluation/held-snapshot.js';
import { SnapshotStore } from '../evaluation/snapshot-store.js';
import { EventBus } from '../platform/events/event-bus.js';

/** What is remembered: yes or no for a user, everything of a flag for a user, and the list. */
export type Kind = 'check' | 'endpoint' | 'list';

/** How long, in milliseconds. */
const TTL_MS: Readonly<Record<Kind, number>> = { check: 30_000, endpoint: 60_000, list: 300_000 };
/** Answers in memory; the ones remembered longest go first. */
const MOST = 50_000;

/** Which answer, to whom. Without a user everybody gets it whom nobody knows. */
export interface Place {
  readonly kind: Kind;
  readonly environmentKey: string;
  /** Empty for the list. */
  readonly flagKey: string;
  readonly user: string | undefined;
  /** Of the key that asked, where it is told less than others. */
  readonly isDiscreet: boolean;
}

type CompiledFlag = CompiledSnapshot['flags'] extends ReadonlyMap<string, infer F> ? F : never;

/** What an answer was made of: the flag as it was compiled, or the stamp of the environment. */
type State = CompiledFlag | string;

interface Entry {
  readonly kind: Kind;
  readonly environmentKey: string;
  readonly flagKey: string;
  readonly state: State;
  readonly expiresAt: number;
  readonly value: unknown;
}

/** What the service remembers of answers; `flags` are those of which there is any. */
export interface EdgeCounts {
  readonly flags: number;
  readonly endpoint: number;
  readonly check: number;
}

/**
 * The answers that this instance gave a moment ago, for the system whose answers say whether they were remembered. None outlives
 * a change of its flag, or of the environment where others can change what it says.
 */
@Injectable()
export class EdgeCache {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly snapshots: SnapshotStore,
    events: EventBus,
  ) {
    events.on(SnapshotSwapped, ({ held }) => {
      this.forgetOvertaken(held.ruleset.environmentKey);
    });
    events.on(SnapshotDropped, ({ environmentKey }) => {
      this.forgetOvertaken(environmentKey);
    });
  }

  /** What is remembered, or what `make` gives, and which of both. */
  async get<T>(place: Place, make: () => T | Promise<T>): Promise<{ value: T; isHit: boolean }> {
    const { kind, environmentKey, flagKey } = place;
    const name = JSON.stringify([kind, environmentKey, flagKey, place.user ?? null, place.isDiscreet]);
    const state = this.stateOf(this.snapshots.get(environmentKey), flagKey);
    const entry = this.entries.get(name);
    if (entry && entry.state === state && entry.expiresAt > Date.now())
      return { value: entry.value as T, isHit: true };
    const value = await make();
    // Anew at the end of the map: its beginning is what was remembered longest.
    this.entries.delete(name);
    // What changed meanwhile is asked again.
    if (state !== undefined && state === this.stateOf(this.snapshots.get(environmentKey), flagKey))
      this.entries.set(name, {
        kind,
        environmentKey,
        flagKey,
        state,
        value,
        expiresAt: Date.now() + TTL_MS[kind],
      });
    this.forgetOldest();
    return { value, isHit: false };
  }

  forget(environmentKey: string, flagKey: string): void {
    for (const [name, entry] of this.entries)
      if (entry.environmentKey === environmentKey && (entry.flagKey === flagKey || entry.kind === 'list'))
        this.entries.delete(name);
  }

  counts(): EdgeCounts {
    const now = Date.now();
    const live = [...this.entries.values()].filter(({ expiresAt }) => expiresAt > now);
    const flags = new Set(
      live.flatMap(({ environmentKey, flagKey }) => (flagKey === '' ? [] : `${environmentKey} ${flagKey}`)),
    );
    return {
      flags: flags.size,
      endpoint: live.filter(({ kind }) => kind === 'endpoint').length,
      check: live.filter(({ kind }) => kind === 'check').length,
    };
  }

  /**
   * A flag without rules, lists and prerequisites is all that its answers are made of; else it is the environment. Its version would
   * not do: a flag that was deleted and made anew begins again with the first.
   */
  private stateOf(held: HeldSnapshot | undefined, flagKey: string): State | undefined {
    const flag = held?.compiled.flags.get(flagKey);
    return flag && isAlone(flag) ? flag : held?.stamp;
  }

  private forgetOvertaken(environmentKey: string): void {
    const held = this.snapshots.get(environmentKey);
    for (const [name, entry] of this.entries)
      if (entry.environmentKey === environmentKey && entry.state !== this.stateOf(held, entry.flagKey))
        this.entries.delete(name);
  }

  private forgetOldest(): void {
    for (const name of this.entries.keys()) {
      if (this.entries.size <= MOST) return;
      this.entries.delete(name);
    }
  }
}

/** Whether nothing else can change what a flag answers. */
const isAlone = ({ settled, targeting }: CompiledFlag & { readonly targeting?: unknown }): boolean =>
  settled !== undefined || targeting === undefined;

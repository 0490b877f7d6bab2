import type { RulesetText, ServedState } from '../evaluation/ruleset-text.js';
import { eventAround, eventOf } from './server-sent.js';
import { streamIdOf } from './stream-id.js';

/** How much of what was is kept for those who come again. */
export interface HistoryLimits {
  readonly changes: number;
  readonly bytes: number;
}

/** Follows a feed. */
export interface Follower {
  /** There is something new to take. */
  onNews(): void;
  /** The environment is gone. */
  onGone(): void;
}

/** What a stream follows: where it is now, and what is told of the way there. */
export interface Followed {
  /** Where those are who have everything. */
  readonly position: Position;
  /** The next thing to tell after a position, and where it leads; `undefined` when only the whole helps. */
  after(position: Position): { readonly event: Buffer; readonly position: Position } | undefined;
  /** For those who have nothing, or what does not count any more. */
  wholeEvent(): Buffer;
  /** Told before the whole to those who took themselves to be elsewhere; `undefined`: nothing. */
  resyncEvent(reason: ResyncReason): Buffer | undefined;
  /** The last thing that is told; `undefined`: nothing. */
  closedEvent(reason: CloseReason): Buffer | undefined;
  follow(follower: Follower): void;
  unfollow(follower: Follower): void;
}

/** Why a stream ends by the service's own will. */
export type CloseReason = 'access_ended' | 'environment_deleted' | 'shutting_down';

/** Why a client gets the whole ruleset instead of changes: its id says nothing here; or what it had was left behind while it was connected. */
export type ResyncReason = 'id_unknown' | 'history_left';

/** A place in a feed: what a follower has taken. `bytes` counts all changes before it. */
export interface Position {
  readonly step: number;
  readonly bytes: number;
}

interface Change {
  /** The id of the state before it. */
  readonly since: string;
  readonly before: Position;
  readonly event: Buffer;
}

/**
 * The states of one environment as this instance goes through them, one step after the other: the last as a whole, and
 * the changes that led there as far as they are kept. Everything is serialised once, for all who follow.
 */
export class EnvironmentFeed implements Followed {
  private readonly followers = new Set<Follower>();
  private environmentId: string;
  private currentId: string;
  private text: RulesetText;
  private whole: { event: Buffer; json: Buffer } | undefined;
  private end: Position = { step: 0, bytes: 0 };
  private history: Change[] = [];
  private isClosed = false;

  constructor(
    state: ServedState,
    private readonly limits: HistoryLimits,
  ) {
    this.environmentId = state.environmentId;
    this.currentId = streamIdOf(state);
    this.text = state.ruleset;
  }

  /** Names the state that is served now. */
  get id(): string {
    return this.currentId;
  }

  get revision(): number {
    return this.text.revision;
  }

  /** Where those are who have everything. */
  get position(): Position {
    return this.end;
  }

  /** The next state. One that does not follow the last (another history, an earlier revision) begins a new history. */
  move(state: ServedState): void {
    const [id, text] = [streamIdOf(state), state.ruleset];
    if (id === this.currentId && text.equals(this.text)) return;
    const follows = state.environmentId === this.environmentId && text.revision > this.text.revision;
    const before = this.end;
    if (follows) {
      const event = eventOf('change', text.changeSince(this.text), id);
      this.history.push({ since: this.currentId, before, event });
      this.end = { step: before.step + 1, bytes: before.bytes + event.length };
      this.shorten();
    } else {
      this.history = [];
      // A step that no change makes: whoever is before it needs the whole.
      this.end = { step: before.step + 1, bytes: before.bytes };
    }
    this.environmentId = state.environmentId;
    this.currentId = id;
    this.text = text;
    this.whole = undefined;
    for (const follower of this.followers) follower.onNews();
  }

  /** Where somebody is who has the state of this id; `undefined` when that cannot be told any more, or never could. */
  positionOf(id: string): Position | undefined {
    if (id === this.currentId) return this.end;
    return this.history.find(({ since }) => since === id)?.before;
  }

  /** The next change after a position, and where it leads; `undefined` when only the whole helps. */
  after({ step }: Position): { event: Buffer; position: Position } | undefined {
    const at = step - (this.history[0]?.before.step ?? this.end.step);
    const change = this.history[at];
    return change && { event: change.event, position: this.history[at + 1]?.before ?? this.end };
  }

  /** The whole ruleset, as the body of an answer. */
  rulesetJson(): Buffer {
    return this.wholeRuleset().json;
  }

  /** The whole ruleset, as an event. */
  wholeEvent(): Buffer {
    return this.wholeRuleset().event;
  }

  resyncEvent(reason: ResyncReason): Buffer {
    return eventOf('resync', JSON.stringify({ reason }));
  }

  closedEvent(reason: CloseReason): Buffer {
    return eventOf('closed', JSON.stringify({ reason }));
  }

  follow(follower: Follower): void {
    this.followers.add(follower);
    // It was let in a moment before.
    if (this.isClosed) follower.onGone();
  }

  unfollow(follower: Follower): void {
    this.followers.delete(follower);
  }

  close(): void {
    this.isClosed = true;
    for (const follower of this.followers) follower.onGone();
  }

  /** The last change is kept whatever its size: those who are with it would all need the whole, which is no smaller. */
  private shorten(): void {
    while (this.history.length > 1) {
      const first = this.history[0];
      const kept = this.end.bytes - (first?.before.bytes ?? 0);
      if (this.history.length <= this.limits.changes && kept <= this.limits.bytes) return;
      this.history.shift();
    }
  }

  private wholeRuleset(): { event: Buffer; json: Buffer } {
    this.whole ??= eventAround('ruleset', this.text.json(), this.currentId);
    return this.whole;
  }
}

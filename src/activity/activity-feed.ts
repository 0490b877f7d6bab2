import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { AuditEntry } from '../audit/audit-entry.js';
import { AuditService } from '../audit/audit.service.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { NotificationReceived, NotificationsResumed } from '../platform/database/notifications.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Repeating } from '../platform/events/repeating.js';
import type { CloseReason, Followed, Follower, Position, ResyncReason } from '../stream/environment-feed.js';
import { eventOf, messageOf } from '../stream/server-sent.js';
import { presentActivity } from './dto/activity.responses.js';

interface Told {
  readonly id: string;
  readonly event: Buffer;
}

/** Changes that are kept in memory, and how far back somebody may come again without reading everything anew. */
const KEPT = 1_000;

/**
 * The audit log as it grows, for those who follow what is done. Its positions have no gaps and follow the commits, so an id
 * (position and the beginning of the hash) says what a follower has, at every instance and after every restart.
 */
@Injectable()
export class ActivityFeed implements Followed, OnApplicationShutdown {
  private readonly followers = new Set<Follower>();
  /** What came after `first`, oldest first. */
  private told: Told[] = [];
  /** The position before the first one that is kept. */
  private first = 0;
  private headId: string | undefined;
  private catchingUp: Promise<void> | undefined;
  private isBehind = false;
  private readonly poll: Repeating;

  constructor(
    private readonly audit: AuditService,
    events: EventBus,
    @Inject(CONFIG) config: Config,
  ) {
    // Every change says something to the other instances, and hears it itself.
    events.on(NotificationReceived, () => this.hint());
    events.on(NotificationsResumed, () => this.hint());
    this.poll = new Repeating(config.revisionPollSeconds * 1000, () => this.look());
  }

  get position(): Position {
    return { step: this.first + this.told.length, bytes: 0 };
  }

  after({ step }: Position): { event: Buffer; position: Position } | undefined {
    const next = this.told[step - this.first];
    return next && { event: next.event, position: { step: step + 1, bytes: 0 } };
  }

  /** For those who come for the first time: where the log ends, and no more; they have just read the rest. */
  wholeEvent(): Buffer {
    return messageOf(JSON.stringify({ position: this.position.step }), this.id);
  }

  resyncEvent(reason: ResyncReason): Buffer {
    return eventOf('resync', JSON.stringify({ reason }));
  }

  closedEvent(reason: CloseReason): Buffer {
    return eventOf('closed', JSON.stringify({ reason }));
  }

  follow(follower: Follower): void {
    this.followers.add(follower);
  }

  unfollow(follower: Follower): void {
    this.followers.delete(follower);
  }

  /** Where somebody is who had the entry of this id last; `undefined` when that is too long ago, or of another log. */
  async positionOf(id: string): Promise<Position | undefined> {
    await this.look();
    const step = Number(/^(\d{1,15})-[0-9a-f]{12}$/.exec(id)?.[1] ?? Number.NaN);
    const end = this.position.step;
    if (Number.isNaN(step) || step > end || step < end - KEPT) return undefined;
    if (step < this.first) await this.reachBack(step);
    const known =
      step === end ? this.id : step > this.first ? this.told[step - this.first - 1]?.id : undefined;
    const isSame = known === undefined ? await this.isInLog(step, id) : known === id;
    return isSame ? { step, bytes: 0 } : undefined;
  }

  /** Brings it up to the end of the log. */
  async look(): Promise<void> {
    this.catchingUp ??= this.catchUp().finally(() => {
      this.catchingUp = undefined;
    });
    await this.catchingUp;
  }

  private get id(): string {
    return this.told.at(-1)?.id ?? this.headId ?? idOf(0, '');
  }

  private hint(): void {
    // Nobody is waiting for it; whoever comes looks.
    if (this.followers.size === 0) return;
    this.isBehind = true;
    void this.look().catch(() => undefined);
  }

  private async catchUp(): Promise<void> {
    for (let isBehind = true; isBehind; isBehind = this.takeHint()) {
      const head = await this.audit.head();
      const headId = idOf(head.position, head.hash);
      const { step } = this.position;
      // A database that was put back from a backup: shorter, or as long and other.
      if (this.headId === undefined || head.position < step || (head.position === step && headId !== this.id))
        this.beginAt(head.position, headId);
      while (this.position.step < head.position) {
        const entries = await this.audit.after(this.position.step, KEPT);
        const [first] = entries;
        if (!first) break;
        // Or grown beyond this since.
        if (this.position.step > 0 && idOf(this.position.step, first.previousHash) !== this.id) {
          this.beginAt(head.position, headId);
          break;
        }
        this.told.push(...entries.map(toldOf));
      }
      this.shorten();
    }
    for (const follower of this.followers) follower.onNews();
  }

  /** Whether there was another hint since it was asked last. */
  private takeHint(): boolean {
    const { isBehind } = this;
    this.isBehind = false;
    return isBehind;
  }

  /** Another log, or the first look at it: a step that nobody who is elsewhere can take. */
  private beginAt(position: number, id: string): void {
    this.told = [];
    this.first = position;
    this.headId = id;
  }

  private shorten(): void {
    const surplus = this.told.length - KEPT;
    if (surplus <= 0) return;
    this.headId = this.told[surplus - 1]?.id ?? this.headId;
    this.told = this.told.slice(surplus);
    this.first += surplus;
  }

  private async reachBack(step: number): Promise<void> {
    const wanted = this.first;
    const entries = await this.audit.after(step, wanted - step);
    if (this.first !== wanted || entries.length !== wanted - step) return;
    this.told = [...entries.map(toldOf), ...this.told];
    this.first = step;
  }

  private async isInLog(step: number, id: string): Promise<boolean> {
    if (step === 0) return id === idOf(0, '');
    const [entry] = await this.audit.after(step - 1, 1);
    return entry !== undefined && idOf(entry.position, entry.hash) === id;
  }

  onApplicationShutdown(): void {
    this.poll.stop();
  }
}

const idOf = (position: number, hash: string): string =>
  `${position}-${(hash || '0'.repeat(12)).slice(0, 12)}`;

function toldOf(entry: AuditEntry): Told {
  const id = idOf(entry.position, entry.hash);
  return { id, event: eventOf('change', JSON.stringify(presentActivity(entry)), id) };
}

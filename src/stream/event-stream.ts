import type { Writable } from 'node:stream';
import type { CloseReason, Followed, Follower, Position, ResyncReason } from './environment-feed.js';
import { HEARTBEAT, retryAfter } from './server-sent.js';
import type { StreamAccess } from './stream-access.js';

export interface StreamLimits {
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly slowReaderBytes: number;
}

/** What is told of a stream while it goes on. */
export interface StreamListener {
  onResync(reason: ResyncReason): void;
  /** The client has the ruleset that it began with, or never will. Once. */
  onSettled(): void;
  onCut(): void;
  /** Last, and once. */
  onEnd(): void;
}

/** Large events go out in pieces, so that a client that takes them slowly can be told from one that takes nothing. */
const PIECE_BYTES = 64 * 1024;
/** How long a client may take to take leave. */
const LEAVE_MS = 1_000;
/** A client whose connection breaks comes again after about so long. */
const RETRY_MS = 1_000;
/** Those who are sent away all at once come again spread over so long. */
const SPREAD_MS = 5_000;

/**
 * What one client follows. It takes from the feed what comes after its position whenever its connection takes more, so
 * nothing is queued for it here: a client that is slow is only further behind, and is cut when it is too far behind.
 */
export class EventStream implements Follower {
  private position: Position;
  private outgoing: Buffer | undefined;
  private resync: ResyncReason | undefined;
  private needsWhole: boolean;
  private isBlocked = false;
  private isSettled = false;
  private isOver = false;
  private takenAt = performance.now();
  private beatAt = 0;

  /** @param from where the client is; without it, it is sent the whole ruleset, after a resync if it takes itself to be elsewhere */
  constructor(
    private readonly sink: Writable,
    private readonly feed: Followed,
    private readonly access: StreamAccess,
    private readonly limits: StreamLimits,
    private readonly listener: StreamListener,
    { from, resync }: { from: Position | undefined; resync: ResyncReason | undefined },
  ) {
    this.position = from ?? feed.position;
    this.needsWhole = from === undefined;
    this.resync = resync;
  }

  begin(): void {
    this.sink.on('drain', () => {
      this.isBlocked = false;
      this.pump();
    });
    this.sink.once('close', () => this.over());
    // The connection broke; its end is told by 'close'.
    this.sink.on('error', () => undefined);
    if (this.sink.destroyed) {
      this.over();
      return;
    }
    this.feed.follow(this);
    if (this.isOver) return;
    this.write(Buffer.from(retryAfter(RETRY_MS * (1 + 2 * Math.random()))));
    this.pump();
  }

  onNews(): void {
    this.pump();
    const waiting = this.feed.position.bytes - this.position.bytes;
    if (this.isBlocked && waiting > this.limits.slowReaderBytes) this.cut();
  }

  onGone(): void {
    this.close('environment_deleted');
  }

  /** Ends when its client may not have it any more. */
  checkAccess(): void {
    if (!this.isOver && !this.access.isStillAllowed()) this.close('access_ended');
  }

  /** Called several times a second. @param now of the monotonic clock */
  tick(now: number): void {
    this.checkAccess();
    if (this.isOver) return;
    if (!this.isBlocked) {
      if (now >= this.beatAt) this.write(HEARTBEAT);
    } else if (now - this.takenAt > this.limits.stallMs) this.cut();
  }

  /** Tells the client why, and ends. One that does not read is not told. */
  close(reason: CloseReason): void {
    if (this.isOver) return;
    const isBlocked = this.isBlocked;
    this.over();
    if (isBlocked) {
      this.sink.destroy();
      return;
    }
    const retry = reason === 'shutting_down' ? retryAfter(Math.random() * SPREAD_MS) : '';
    const told = this.feed.closedEvent(reason) ?? Buffer.alloc(0);
    this.sink.end(Buffer.concat([Buffer.from(retry), told]));
    setTimeout(() => this.sink.destroy(), LEAVE_MS).unref();
  }

  private cut(): void {
    this.listener.onCut();
    this.over();
    this.sink.destroy();
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.outgoing = undefined;
    this.feed.unfollow(this);
    this.settle();
    this.listener.onEnd();
  }

  private settle(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.listener.onSettled();
  }

  private pump(): void {
    while (!this.isBlocked && !this.isOver) {
      this.outgoing ??= this.next();
      if (this.outgoing === undefined) {
        this.settle();
        return;
      }
      const piece = this.outgoing.subarray(0, PIECE_BYTES);
      this.outgoing = piece.length < this.outgoing.length ? this.outgoing.subarray(PIECE_BYTES) : undefined;
      this.write(piece);
    }
  }

  /** The next event, which the client is taken to have from then on: if it does not get it, it says so when it comes again. */
  private next(): Buffer | undefined {
    if (this.resync !== undefined) {
      const reason = this.resync;
      this.resync = undefined;
      const told = this.feed.resyncEvent(reason);
      if (told) {
        this.listener.onResync(reason);
        return told;
      }
    }
    if (this.needsWhole) {
      this.needsWhole = false;
      this.position = this.feed.position;
      return this.feed.wholeEvent();
    }
    if (this.position.step === this.feed.position.step) return undefined;
    const change = this.feed.after(this.position);
    if (!change) {
      this.needsWhole = true;
      this.resync = 'history_left';
      return this.next();
    }
    this.position = change.position;
    return change.event;
  }

  private write(bytes: Buffer): void {
    this.takenAt = performance.now();
    // Not all at the same moment.
    this.beatAt = this.takenAt + this.limits.heartbeatMs * (0.75 + 0.25 * Math.random());
    this.isBlocked = !this.sink.write(bytes);
  }
}

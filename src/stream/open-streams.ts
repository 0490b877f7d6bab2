import type { Writable } from 'node:stream';
import { AccessChanged } from '../auth/access.events.js';
import type { Config } from '../platform/config/settings.js';
import type { EventBus } from '../platform/events/event-bus.js';
import { Repeating } from '../platform/events/repeating.js';
import type { Followed, Position, ResyncReason } from './environment-feed.js';
import { EventStream, type StreamLimits, type StreamListener } from './event-stream.js';
import { StreamsClosing } from './stream.errors.js';
import type { StreamCaller } from './stream-access.js';
import { StreamAdmission } from './stream-admission.js';

/** The streams of one kind: who is let in, and what is seen to until each has ended. */
export class OpenStreams {
  private readonly streams = new Set<EventStream>();
  private readonly admission: StreamAdmission;
  private readonly limits: StreamLimits;
  private readonly ticking: Repeating;
  private isClosing = false;

  /** @param tickMs how often every stream is looked after: what ends by the clock is over within it. What changes is told, and ends at once. */
  constructor(events: EventBus, config: Config, tickMs: number) {
    events.on(AccessChanged, () => {
      for (const stream of this.streams) stream.checkAccess();
    });
    this.admission = new StreamAdmission({
      streams: config.streamMax,
      perCaller: config.streamMaxPerCaller,
      rulesetsSending: config.streamMaxRulesetsSending,
    });
    this.limits = {
      heartbeatMs: config.streamHeartbeatSeconds * 1000,
      stallMs: config.streamStallSeconds * 1000,
      slowReaderBytes: config.streamSlowReaderBytes,
    };
    this.ticking = new Repeating(tickMs, () => {
      const now = performance.now();
      for (const stream of this.streams) stream.tick(now);
      return Promise.resolve();
    });
  }

  /** @returns gives the place back @throws StreamsClosing, StreamsFull, TooManyStreams */
  enter(caller: StreamCaller, network: string): () => void {
    if (this.isClosing) throw new StreamsClosing();
    return this.admission.enter(caller, network);
  }

  /** For the time that a whole ruleset takes to be sent. @returns says that it is over @throws StreamsFull */
  sendRuleset(): () => void {
    return this.admission.sendRuleset();
  }

  /** Opens a stream to somebody who is in. */
  begin(
    sink: Writable,
    feed: Followed,
    { access }: StreamCaller,
    start: { from: Position | undefined; resync: ResyncReason | undefined },
    listener: StreamListener,
  ): void {
    const onEnd = (): void => {
      this.streams.delete(stream);
      listener.onEnd();
    };
    const stream: EventStream = new EventStream(
      sink,
      feed,
      access,
      this.limits,
      { ...listener, onEnd },
      start,
    );
    this.streams.add(stream);
    stream.begin();
    if (this.isClosing) stream.close('shutting_down');
  }

  /** Tells everybody to go elsewhere, and lets nobody in any more. */
  close(): void {
    this.isClosing = true;
    this.ticking.stop();
    for (const stream of [...this.streams]) stream.close('shutting_down');
  }
}

import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Writable } from 'node:stream';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DomainError } from '../platform/errors/errors.js';
import { Repeating } from '../platform/events/repeating.js';
import type { EnvironmentFeed, Followed, ResyncReason } from './environment-feed.js';
import { EventStream, type StreamLimits } from './event-stream.js';
import { FeedsService } from './feeds.service.js';
import { StreamsClosing } from './stream.errors.js';
import { StreamMetrics } from './stream.metrics.js';
import type { StreamCaller } from './stream-access.js';
import { StreamAdmission } from './stream-admission.js';

/** What a client asks for. */
export interface StreamRequest {
  readonly environmentKey: string;
  /** The id of the last event that the client had. */
  readonly lastEventId: string | undefined;
  readonly caller: StreamCaller;
  /** From where it comes. */
  readonly network: string;
  /** What is told of a feed, where that is not its rulesets and changes; it must be small. */
  readonly tell?: (feed: EnvironmentFeed) => Followed;
}

/** A stream that may begin, and holds its place until it does or is given up. */
export interface AdmittedStream {
  begin(sink: Writable): void;
  giveUp(): void;
}

/** How often every stream is looked after; nobody who may not stays for longer. */
const TICK_MS = 500;

/** Opens streams, looks after them, and ends them. */
@Injectable()
export class StreamsService implements BeforeApplicationShutdown {
  private readonly streams = new Set<EventStream>();
  private readonly admission: StreamAdmission;
  private readonly limits: StreamLimits;
  private readonly ticking: Repeating;
  private isClosing = false;

  constructor(
    private readonly feeds: FeedsService,
    private readonly metrics: StreamMetrics,
    @Inject(CONFIG) config: Config,
  ) {
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
    this.ticking = new Repeating(TICK_MS, () => {
      const now = performance.now();
      for (const stream of this.streams) stream.tick(now);
      return Promise.resolve();
    });
  }

  /** @throws StreamsFull, TooManyStreams, StreamsClosing, BehindClient, EnvironmentNotFound, NotReady */
  async admit(request: StreamRequest): Promise<AdmittedStream> {
    try {
      return await this.admitted(request);
    } catch (error) {
      if (error instanceof DomainError && error.retryAfterSeconds !== undefined)
        this.metrics.refused.inc({ code: error.code });
      throw error;
    }
  }

  private async admitted({ environmentKey, lastEventId, caller, network, tell }: StreamRequest) {
    if (this.isClosing) throw new StreamsClosing();
    const leave = this.admission.enter(`${network} ${caller.id}`);
    try {
      const feed = await this.feeds.feedFor(environmentKey, lastEventId);
      const from = lastEventId === undefined ? undefined : feed.positionOf(lastEventId);
      const settle = from || tell ? () => undefined : this.admission.sendRuleset();
      const resync: ResyncReason | undefined = lastEventId === undefined || from ? undefined : 'id_unknown';
      return {
        begin: (sink: Writable) =>
          this.begin(sink, tell?.(feed) ?? feed, caller, { from, resync }, { leave, settle }),
        giveUp: () => {
          settle();
          leave();
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  private begin(
    sink: Writable,
    feed: Followed,
    { access }: StreamCaller,
    start: ConstructorParameters<typeof EventStream>[5],
    { leave, settle }: { leave: () => void; settle: () => void },
  ): void {
    const stream: EventStream = new EventStream(
      sink,
      feed,
      access,
      this.limits,
      {
        onResync: (reason) => this.metrics.resyncs.inc({ reason }),
        onSettled: settle,
        onCut: () => this.metrics.cut.inc(),
        onEnd: () => {
          this.streams.delete(stream);
          this.metrics.open.dec();
          leave();
        },
      },
      start,
    );
    this.streams.add(stream);
    this.metrics.open.inc();
    stream.begin();
    if (this.isClosing) stream.close('shutting_down');
  }

  /** Tells everybody to go elsewhere, and lets nobody in any more. */
  close(): void {
    this.isClosing = true;
    this.ticking.stop();
    for (const stream of [...this.streams]) stream.close('shutting_down');
  }

  beforeApplicationShutdown(): void {
    this.close();
  }
}

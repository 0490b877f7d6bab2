import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Writable } from 'node:stream';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DomainError } from '../platform/errors/errors.js';
import { EventBus } from '../platform/events/event-bus.js';
import type { EnvironmentFeed, Followed, ResyncReason } from './environment-feed.js';
import { FeedsService } from './feeds.service.js';
import { OpenStreams } from './open-streams.js';
import { StreamMetrics } from './stream.metrics.js';
import type { StreamCaller } from './stream-access.js';

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

const TICK_MS = 250;

/** Opens streams, looks after them, and ends them. */
@Injectable()
export class StreamsService implements BeforeApplicationShutdown {
  private readonly open: OpenStreams;

  constructor(
    private readonly feeds: FeedsService,
    private readonly metrics: StreamMetrics,
    events: EventBus,
    @Inject(CONFIG) config: Config,
  ) {
    this.open = new OpenStreams(events, config, TICK_MS);
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
    const leave = this.open.enter(caller, network);
    try {
      const feed = await this.feeds.feedFor(environmentKey, lastEventId);
      const from = lastEventId === undefined ? undefined : feed.positionOf(lastEventId);
      const settle = from || tell ? () => undefined : this.open.sendRuleset();
      const resync: ResyncReason | undefined = lastEventId === undefined || from ? undefined : 'id_unknown';
      return {
        begin: (sink: Writable) => {
          this.metrics.open.inc();
          this.open.begin(
            sink,
            tell?.(feed) ?? feed,
            caller,
            { from, resync },
            {
              onResync: (reason) => this.metrics.resyncs.inc({ reason }),
              onSettled: settle,
              onCut: () => this.metrics.cut.inc(),
              onEnd: () => {
                this.metrics.open.dec();
                leave();
              },
            },
          );
        },
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

  /** Tells everybody to go elsewhere, and lets nobody in any more. */
  close(): void {
    this.open.close();
  }

  beforeApplicationShutdown(): void {
    this.close();
  }
}

import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { EventBus } from '../platform/events/event-bus.js';
import { OpenStreams } from '../stream/open-streams.js';
import type { StreamCaller } from '../stream/stream-access.js';
import type { AdmittedStream } from '../stream/streams.service.js';
import { ActivityFeed } from './activity-feed.js';

const TICK_MS = 500;

const nothing = (): void => undefined;

/** Opens streams of what is done, looks after them, and ends them. They have places of their own: programs cannot take those of people. */
@Injectable()
export class ActivityService implements BeforeApplicationShutdown {
  private readonly open: OpenStreams;

  constructor(
    private readonly feed: ActivityFeed,
    events: EventBus,
    @Inject(CONFIG) config: Config,
  ) {
    this.open = new OpenStreams(events, config, TICK_MS);
  }

  /** @throws StreamsFull, TooManyStreams, StreamsClosing */
  async admit(
    caller: StreamCaller,
    network: string,
    lastEventId: string | undefined,
  ): Promise<AdmittedStream> {
    const leave = this.open.enter(caller, network);
    try {
      await this.feed.look();
      const from = lastEventId === undefined ? undefined : await this.feed.positionOf(lastEventId);
      const resync = lastEventId === undefined || from ? undefined : ('id_unknown' as const);
      const listener = { onResync: nothing, onSettled: nothing, onCut: nothing, onEnd: leave };
      return {
        begin: (sink) => this.open.begin(sink, this.feed, caller, { from, resync }, listener),
        giveUp: leave,
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

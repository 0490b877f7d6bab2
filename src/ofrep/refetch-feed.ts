import type { EnvironmentFeed, Followed, Follower, Position } from '../stream/environment-feed.js';
import { messageOf } from '../stream/server-sent.js';

/**
 * A feed as OFREP tells it: that there is something new, and under which id, but not what. A follower who is several changes
 * behind is told once; so is one whose place cannot be told.
 */
export class RefetchFeed implements Followed {
  constructor(private readonly feed: EnvironmentFeed) {}

  /** What waits for a follower is one line, however many changes there are. */
  get position(): Position {
    return { step: this.feed.position.step, bytes: 0 };
  }

  after(): { event: Buffer; position: Position } {
    return { event: this.wholeEvent(), position: this.position };
  }

  wholeEvent(): Buffer {
    const { id } = this.feed;
    return messageOf(JSON.stringify({ type: 'refetchEvaluation', etag: id }), id);
  }

  resyncEvent(): undefined {
    return undefined;
  }

  closedEvent(): undefined {
    return undefined;
  }

  follow(follower: Follower): void {
    this.feed.follow(follower);
  }

  unfollow(follower: Follower): void {
    this.feed.unfollow(follower);
  }
}

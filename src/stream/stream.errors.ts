import { TooMany, Unavailable } from '../platform/errors/errors.js';

/** Those who are sent away together must not come back together. */
const soon = (seconds: number): number => 1 + Math.floor(Math.random() * seconds);

/** The instance has as many streams, or sends as many rulesets, as it can. */
export class StreamsFull extends Unavailable {
  override readonly code = 'streams_full';
  override readonly retryAfterSeconds = soon(10);

  constructor() {
    super('This instance has as many streams as it can serve. Try again a little later.');
  }
}

/** The instance is on its way out. */
export class StreamsClosing extends Unavailable {
  override readonly code = 'streams_closing';
  override readonly retryAfterSeconds = soon(3);

  constructor() {
    super('This instance is about to stop. Another one, or the next, will answer.');
  }
}

/** What the client has is newer than what this instance has, as far as can be told without the database. */
export class BehindClient extends Unavailable {
  override readonly code = 'behind_client';
  override readonly retryAfterSeconds = soon(3);

  constructor() {
    super('What you have is newer than what this instance has. Keep it, and try again.');
  }
}

/** One caller has as many streams as one may have. */
export class TooManyStreams extends TooMany {
  override readonly code = 'too_many_streams';

  constructor(most: number) {
    super(`You have ${most} streams open from this network, which is as many as one may have.`, soon(30));
  }
}

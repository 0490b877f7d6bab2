import { Unavailable } from '../platform/errors/errors.js';

/** Nothing is known yet of the environment: better no answer than a guessed one. */
export class NotReady extends Unavailable {
  override readonly code = 'not_ready';

  constructor() {
    super('The flags of this environment are not loaded yet.');
  }
}

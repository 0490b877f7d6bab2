import { Unauthenticated } from '../platform/errors/errors.js';

/** The address of a stream is none of ours, or too old. */
export class StreamAddressEnded extends Unauthenticated {
  readonly code = 'stream_address_ended';

  constructor() {
    super('This address of a stream is no longer good. Evaluate all flags again to get a new one.');
  }
}

import { NotFound, Refused, Unavailable } from '../platform/errors/errors.js';

/** There is nothing to clear while the cache does not answer. */
export class CacheAway extends Unavailable {
  override readonly code = 'cache_away';

  constructor() {
    super('Cache is not enabled');
  }
}

/** Where a system asks for an environment that it would have made up. */
export class NoSuchEnvironment extends Refused {
  readonly code = 'no_such_environment';

  constructor(name: string) {
    super(`Environment '${name}' not found`);
  }
}

/** A flag has settings in each environment; one cannot be carried into another by a field. */
export class FlagElsewhere extends Refused {
  readonly code = 'flag_elsewhere';

  constructor(key: string, environment: string) {
    super(`Flag '${key}' is not in environment '${environment}'. Create it there; a flag is not moved.`);
  }
}

/** Where a flag is to go and has settings in several environments: whoever sends the request twice would take one after the other. */
export class FlagInSeveral extends Refused {
  readonly code = 'flag_in_several';

  constructor(key: string) {
    super(`Flag '${key}' is in several environments. Say which one: ?environment=…`);
  }
}

/** Nobody can be asked what an unknown flag is for a user. */
export class UnknownFlag extends NotFound {
  readonly code = 'flag_not_found';

  constructor(key: string) {
    super(`Flag '${key}' not found`);
  }
}

import { Conflict, Forbidden, NotFound } from '../platform/errors/errors.js';

export class EnvironmentNotFound extends NotFound {
  readonly code = 'environment_not_found';

  constructor(key: string) {
    super(`Environment '${key}' not found`);
  }
}

export class EnvironmentExists extends Conflict {
  readonly code = 'environment_exists';

  constructor(key: string) {
    super(`Environment with key '${key}' already exists`);
  }
}

export class EnvironmentInUse extends Conflict {
  readonly code = 'environment_in_use';

  constructor(key: string, uses: readonly string[]) {
    super(
      `Environment '${key}' still has ${uses.join(' and ')}. Delete them first, or pass force=true to delete them with it.`,
    );
  }
}

export class EnvironmentProtected extends Forbidden {
  readonly code = 'environment_protected';

  /** @param what kind of thing, in the plural */
  constructor(key: string, what: string) {
    super(`Only admins can modify ${what} in '${key}' environment`);
  }
}

/**
 * The few kinds of failure a service can report. A feature names its own beside itself
 * (`class FlagNotFound extends NotFound { code = 'flag_not_found' }`); src/platform/http turns a kind into a status.
 */

/** One mistake in the input, with the place of it: `variants[1].value`, `query.limit`. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
}

export abstract class DomainError extends Error {
  /** Stable, machine-readable, snake_case. Part of the API's contract. */
  abstract readonly code: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds: number | undefined = undefined;

  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = new.target.name;
  }
}

/** The thing asked for does not exist. */
export abstract class NotFound extends DomainError {}

/** The change contradicts what is there. */
export abstract class Conflict extends DomainError {}

/** The caller's copy is older than what is there. */
export abstract class Stale extends DomainError {}

/** The editor's copy is older than what is there now. */
export class StaleVersion extends Stale {
  readonly code = 'stale_version';

  constructor(what: string, current: number) {
    super(
      `${what} has changed since you read it: it is at version ${current} now. Read it again and repeat your change.`,
    );
  }
}

/** The caller is known and may not do this. */
export abstract class Forbidden extends DomainError {}

/** The caller asks for something that is ruled out for them, whatever the state of things. */
export abstract class Refused extends DomainError {}

/** The caller is not known. */
export abstract class Unauthenticated extends DomainError {}

/** An answer must stay readable, and may be about a hundred thousand values. */
const PROBLEMS_TOLD = 50;

/** The input is understood and wrong. Every mistake found is listed. */
export class Invalid extends DomainError {
  readonly code: string = 'validation_failed';

  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[]) {
    const more = problems.length > PROBLEMS_TOLD ? ` The first ${PROBLEMS_TOLD} are told.` : '';
    super(
      problems.length === 1 && problems[0]
        ? `${problems[0].path}: ${problems[0].message}`
        : `${problems.length} problems in the request.${more}`,
    );
    this.problems = problems.slice(0, PROBLEMS_TOLD);
  }
}

/** Too many tries. */
export class TooMany extends DomainError {
  readonly code: string = 'rate_limited';

  constructor(
    detail: string,
    override readonly retryAfterSeconds: number,
  ) {
    super(detail);
  }
}

/** Something this service needs does not answer now; nothing was changed, or it cannot be known. */
export class Unavailable extends DomainError {
  readonly code: string = 'unavailable';
  override readonly retryAfterSeconds: number = 2;
}

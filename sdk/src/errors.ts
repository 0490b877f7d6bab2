/** What can go wrong, as types to tell apart with `instanceof`; `code` says the same to those who log. */
export class VexilError extends Error {
  // A literal each: a class is called otherwise where a bundler has shortened its name.
  override name = 'VexilError';
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What is wrong with what was given, and where. */
export interface InvalidField {
  readonly path: string;
  readonly message: string;
}

/** What was given cannot be used: an option, a ruleset to begin with, or a request that the service refused (400, 422). */
export class ValidationError extends VexilError {
  override name = 'ValidationError';
  readonly problems: readonly InvalidField[];

  constructor(message: string, problems: readonly InvalidField[] = []) {
    super('validation_failed', message);
    this.problems = problems;
  }
}

/** No answer came: no connection, or one that broke. */
export class NetworkError extends VexilError {
  override name = 'NetworkError';
  constructor(message: string, cause?: unknown) {
    super('network_error', message, { cause });
  }
}

/** No answer came in time. */
export class TimeoutError extends VexilError {
  override name = 'TimeoutError';
  constructor(message: string) {
    super('timeout', message);
  }
}

/** What the service says of a request it did not serve: a problem document (RFC 9457). */
export interface ApiFailure {
  /** The HTTP status. */
  readonly status: number;
  /** The service's own word for it: `flag_not_found`. */
  readonly code: string;
  /** For people. */
  readonly detail: string;
  readonly requestId: string | undefined;
  /** Not to be asked again sooner, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** The service answered, and refused. */
export class ApiError extends VexilError {
  override name = 'ApiError';
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor({ status, code, detail, requestId, retryAfterMs }: ApiFailure) {
    super(code, detail);
    this.status = status;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}

/** There is no such flag. */
export class FlagNotFound extends ApiError {
  override name = 'FlagNotFound';
}

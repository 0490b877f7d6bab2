import { DomainError } from '../errors/errors.js';

/** The body of the request is not JSON. */
export class MalformedJson extends DomainError {
  readonly code = 'malformed_json';
  readonly status = 400;
}

/** Any other failure that only HTTP knows, with its status. */
export class HttpFault extends DomainError {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

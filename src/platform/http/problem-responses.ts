import { STATUS_CODES } from 'node:http';
import { PROBLEM_CONTENT, type Problem } from './problem.js';

interface Failure {
  /** The name of the component. */
  readonly name: string;
  readonly description: string;
  readonly code: string;
  readonly detail: string;
  readonly headers?: readonly (keyof typeof HEADERS)[];
  readonly errors?: Problem['errors'];
}

const header = (description: string, type: 'string' | 'integer', example: unknown) => ({
  description,
  schema: { type, example },
});

/** Headers that answers of many routes have. */
export const HEADERS = {
  'X-Request-Id': header(
    'The id of this request in the log: yours, when you sent a reasonable one.',
    'string',
    '4fb1e0a3-6f7e-4c0e-9f0d-2a4f7f8d9c11',
  ),
  'WWW-Authenticate': header('How to authenticate.', 'string', 'Bearer realm="vexil"'),
  'Retry-After': header('Seconds after which trying again makes sense.', 'integer', 2),
  'X-RateLimit-Limit': header('How many requests, or tries, are allowed in the time.', 'integer', 10),
  'X-RateLimit-Remaining': header('How many of them are left.', 'integer', 0),
  'X-RateLimit-Reset': header('Seconds until there are new ones.', 'integer', 30),
} as const;

/** Every failure that routes declare, by status, with one that could be. */
const FAILURES: Readonly<Record<number, Failure>> = {
  400: {
    name: 'BadRequest',
    description: 'The request cannot be read, or asks for what is ruled out.',
    code: 'malformed_json',
    detail: 'The body is not valid JSON.',
  },
  401: {
    name: 'Unauthorized',
    description: 'Nobody is known to be calling: no token or key, one that has ended, or wrong credentials.',
    code: 'not_authenticated',
    detail: 'Send an access token, or an API key where one will do: Authorization: Bearer <token or key>.',
    headers: ['WWW-Authenticate'],
  },
  403: {
    name: 'Forbidden',
    description: 'The caller is known, and may not do this.',
    code: 'environment_protected',
    detail: "Only admins can modify flags in 'production' environment",
  },
  404: {
    name: 'NotFound',
    description: 'What the request speaks of does not exist.',
    code: 'flag_not_found',
    detail: "Flag 'new-checkout' not found in environment 'staging'",
  },
  409: {
    name: 'Conflict',
    description: 'The change contradicts what is there.',
    code: 'flag_exists',
    detail: "Flag 'new-checkout' already exists in this environment",
  },
  412: {
    name: 'PreconditionFailed',
    description: 'It has changed since you read it; nothing was written.',
    code: 'stale_version',
    detail:
      "Flag 'new-checkout' in 'staging' has changed since you read it: it is at version 4 now. Read it again and repeat your change.",
  },
  413: {
    name: 'PayloadTooLarge',
    description:
      'The body is larger than this route accepts: 64 KiB for evaluations, 1 MiB for changes, 8 MiB for changes of flags and segments.',
    code: 'body_too_large',
    detail: 'The body is larger than this route accepts.',
  },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The body is not JSON in UTF-8, or compressed in a way that is not known.',
    code: 'unsupported_media_type',
    detail: 'Send the body as application/json.',
  },
  422: {
    name: 'UnprocessableEntity',
    description: 'The request is understood, and wrong. `errors` lists every mistake with its place.',
    code: 'validation_failed',
    detail: 'name: is required',
    errors: [{ path: 'name', message: 'is required' }],
  },
  429: {
    name: 'TooManyRequests',
    description: 'Too many requests or tries.',
    code: 'too_many_attempts',
    detail: 'Too many attempts. Try again in 30 s.',
    headers: ['Retry-After', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
  },
  503: {
    name: 'ServiceUnavailable',
    description: 'Something this service needs does not answer now. Try again.',
    code: 'database_unavailable',
    detail: 'The database does not answer at the moment.',
    headers: ['Retry-After'],
  },
};

const reference = (kind: 'headers' | 'responses', name: string) => ({ $ref: `#/components/${kind}/${name}` });

/** What an operation says where it can fail with `status`. @throws Error for a status that is none of ours */
export function failureReference(status: number): { readonly $ref: string } {
  const failure = FAILURES[status];
  if (!failure) throw new Error(`No failure with status ${status} is described.`);
  return reference('responses', failure.name);
}

/** References to headers, as a response holds them. */
export function headerReferences(...names: (keyof typeof HEADERS)[]) {
  return Object.fromEntries(names.map((name) => [name, reference('headers', name)]));
}

/** `components.responses` of the document. */
export function problemResponses() {
  return Object.fromEntries(
    Object.entries(FAILURES).map(([status, failure]) => {
      const { name, description, code, detail, errors, headers = [] } = failure;
      const example: Problem = {
        type: 'about:blank',
        title: STATUS_CODES[status] ?? '',
        status: Number(status),
        code,
        detail,
        request_id: HEADERS['X-Request-Id'].schema.example as string,
        ...(errors ? { errors } : {}),
      };
      const content = {
        'application/problem+json': { ...PROBLEM_CONTENT['application/problem+json'], example },
      };
      return [name, { description, headers: headerReferences('X-Request-Id', ...headers), content }];
    }),
  );
}

import { FlagExists } from '../flags/flag.errors.js';
import type { Failure, FailureShape } from '../platform/http/failure-shapes.js';
import { NO_OBJECT, WrongInput, type FastApiError } from './fastapi-input.js';

/** What a system says in place of `{"detail": <our text>}` with our status. */
export interface Told {
  readonly status?: number;
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** What a system says, by our code for it. `key` is that of the flag the request is about, as it was sent. */
export type Sayings = Readonly<Record<string, (key: string) => Told>>;

const NO_JSON: FastApiError = {
  type: 'json_invalid',
  loc: ['body', 0],
  msg: 'JSON decode error',
  input: {},
  ctx: { error: 'Expecting value' },
};

/** What all of them say, for they are made with one framework. */
const COMMON: Sayings = {
  route_not_found: () => ({ detail: 'Not Found' }),
  method_not_allowed: () => ({ detail: 'Method Not Allowed' }),
  malformed_json: () => ({ status: 422, detail: [NO_JSON] }),
  unsupported_media_type: () => ({ status: 422, detail: [NO_OBJECT(null)] }),
  rate_limited: () => ({ detail: 'Rate limit exceeded' }),
  flag_exists: () => ({ status: 400 }),
  flag_definition_differs: () => ({ status: 400 }),
};

/** Failures as the systems tell them that are made with FastAPI: `{"detail": …}`. */
export function fastApiFailure(own: Sayings): FailureShape {
  return (failure) => {
    const said = (own[failure.code] ?? COMMON[failure.code])?.(keyOf(failure)) ?? {};
    const { status = failure.status, headers, detail = mistakesIn(failure) ?? failure.detail } = said;
    return { status, body: JSON.stringify({ detail }), ...(headers ? { headers } : {}) };
  };
}

function mistakesIn({ thrown, problems }: Failure): readonly FastApiError[] | undefined {
  if (thrown instanceof WrongInput) return thrown.errors;
  if (problems.length === 0) return undefined;
  // What our own services find wrong.
  return problems.map(({ path, message }) => ({
    type: 'value_error',
    loc: ['body', path],
    msg: `Value error, ${message}`,
    input: null,
    ctx: { error: {} },
  }));
}

function keyOf({ path, thrown }: Failure): string {
  if (thrown instanceof FlagExists) return thrown.flagKey;
  const segment = /.*\/flags\/([^/]+)/.exec(path)?.[1] ?? '';
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

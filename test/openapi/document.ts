import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Received } from '../support/send.js';

export type Json = Record<string, unknown>;

export interface Operation {
  readonly operationId: string;
  readonly security: readonly Json[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Media };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Json;
}

export interface Response {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Media;
}

type Media = Readonly<Record<string, { readonly schema: Json; readonly example?: unknown }>>;

/** An operation and where it is: `PUT /flags/{key}`. */
export interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  uuid: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i,
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
};

/** The document as its readers understand it: what it has, and whether something agrees with it. */
export class ApiDocument {
  readonly routes: readonly Route[];
  private readonly open = validatorOf();
  private readonly closed = validatorOf();
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(readonly json: Json) {
    this.routes = Object.entries(json['paths'] as Record<string, Record<string, Operation>>).flatMap(
      ([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({
          name: `${method.toUpperCase()} ${path}`,
          method: method.toUpperCase(),
          path,
          operation,
        })),
    );
    this.open.addSchema({ $id: 'api', ...json });
    this.closed.addSchema({ $id: 'api', ...(closedSchemas(json) as Json) });
  }

  /** What a reference points to, or the thing itself. */
  resolve<T extends object>(value: T): T {
    const reference = (value as { $ref?: string }).$ref;
    if (reference === undefined) return value;
    const found = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((node, name) => (node as Json)[name.replaceAll('~1', '/')], this.json);
    if (found === undefined) throw new Error(`${reference} points to nothing`);
    return found as T;
  }

  /** What is wrong with `value`, by the schema at a place such as `['components', 'schemas', 'Flag']`. */
  flaws(value: unknown, place: readonly string[], options: { isClosed?: boolean } = {}): string[] {
    const ajv = options.isClosed === true ? this.closed : this.open;
    const pointer = `api#/${place.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const key = `${String(options.isClosed)} ${pointer}`;
    const validate = this.compiled.get(key) ?? ajv.compile({ $ref: pointer });
    this.compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
    );
  }

  /** What an answer has that the document does not say, and the other way round. */
  flawsOfAnswer({ method, path, operation }: Route, answer: Received): string[] {
    const status = String(answer.status);
    const declared = operation.responses[status];
    if (!declared) return [`status ${status} is not documented`];
    const place = declared.$ref?.slice(2).split('/') ?? [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      status,
    ];
    const { content = {} } = this.resolve(declared);
    const type = answer.headers['content-type']?.split(';')[0] ?? '';
    if (Object.keys(content).length === 0)
      return answer.text === '' ? [] : ['a body where none is documented'];
    if (!content[type]) return [`content type '${type}' is not documented for ${status}`];
    const value: unknown = type.endsWith('json') ? JSON.parse(answer.text) : answer.text;
    const flaws = this.flaws(value, [...place, 'content', type, 'schema'], { isClosed: true });
    return answer.status >= 400 && type === 'application/problem+json'
      ? [...flaws, ...flawsOfProblem(value as Json, answer)]
      : flaws;
  }
}

/** What a failure lacks, whatever route gave it. */
export function flawsOfProblem(problem: Json, { status, headers }: Received): string[] {
  const wanted: [string, boolean][] = [
    ['the type about:blank', problem['type'] === 'about:blank'],
    ['a title', typeof problem['title'] === 'string' && problem['title'] !== ''],
    ['the status', problem['status'] === status],
    ['a code', /^[a-z][a-z0-9_]*$/.test(String(problem['code']))],
    ['a detail', typeof problem['detail'] === 'string' && problem['detail'] !== ''],
    ['the request id', problem['request_id'] === headers['x-request-id']],
    ['errors with 422 alone', Array.isArray(problem['errors']) === (status === 422)],
    ['WWW-Authenticate', status !== 401 || headers['www-authenticate'] !== undefined],
    ['Allow', status !== 405 || headers['allow'] !== undefined],
    [
      'Retry-After in seconds',
      ![429, 503].includes(status) || /^[1-9]\d*$/.test(headers['retry-after'] ?? ''),
    ],
    ['Cache-Control: no-store', headers['cache-control'] === 'no-store'],
  ];
  return wanted.flatMap(([what, isThere]) => (isThere ? [] : [`the problem lacks ${what}`]));
}

function validatorOf(): Ajv2020 {
  // The document holds more than schemas, and its schemas more than validation.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  for (const [name, pattern] of Object.entries(FORMATS)) ajv.addFormat(name, pattern);
  return ajv;
}

/** The same, but objects with named properties have no others: what is not documented is a flaw of ours. */
function closedSchemas(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closedSchemas);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closedSchemas(value)]));
  const isObject = 'properties' in copy && ('type' in copy || 'required' in copy);
  return isObject && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}

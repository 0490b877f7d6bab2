import type { Response } from 'supertest';
import type { TestApp } from '../support/app.js';

export type Json = Record<string, unknown>;
type Method = 'get' | 'post' | 'put' | 'delete';

/** A client of one of the systems: all it knows is an address, and perhaps a key. */
export class Client {
  constructor(
    private readonly vexil: TestApp,
    private readonly base: string,
    private readonly key?: string,
  ) {}

  /** The same with another key, or with none. */
  with(key?: string): Client {
    return new Client(this.vexil, this.base, key);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send('get', path, undefined, headers);
  }

  post(path: string, body?: object | string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send('post', path, body, headers);
  }

  put(path: string, body?: object): Promise<Response> {
    return this.send('put', path, body, {});
  }

  delete(path: string): Promise<Response> {
    return this.send('delete', path, undefined, {});
  }

  private async send(
    method: Method,
    path: string,
    body: object | string | undefined,
    headers: Record<string, string>,
  ): Promise<Response> {
    const request = this.vexil.http[method](`${this.base}${path}`).redirects(0).set(headers);
    if (this.key !== undefined) void request.set('X-API-Key', this.key);
    return body === undefined ? request : request.set('Content-Type', 'application/json').send(body);
  }
}

/** The secret of a new API key. */
export async function keyOf(vexil: TestApp, kind: Json): Promise<string> {
  const made = await vexil.http
    .post('/auth/api-keys')
    .set(await vexil.bearer('admin'))
    .send({ name: 'A program', ...kind })
    .expect(201);
  return (made.body as { secret: string }).secret;
}

export const ADMIN_KEY = { kind: 'admin', role: 'admin' };

/** RFC 3339, UTC. */
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The buckets of the golden table: 000, 001, 002, 003, 004. Those of 003 are of 10 000, the others of 100. */
export const GOLDEN: readonly (readonly [string, string, number, number, number, number, number])[] = [
  ['new-checkout', 'alice', 6, 31, 53, 139, 16],
  ['new-checkout', 'user-123', 66, 67, 10, 2532, 92],
  ['new-checkout', 'user123', 11, 44, 80, 8855, 27],
  ['beta_search', 'alice123', 39, 75, 77, 9773, 33],
  ['beta_search', 'bob456', 32, 80, 8, 5972, 89],
  ['beta_search', 'user1', 96, 71, 80, 2044, 39],
  ['beta_search', 'user2', 36, 61, 68, 4504, 38],
  ['beta_search', 'user3', 87, 13, 10, 7066, 82],
  ['beta_search', 'user4', 90, 51, 87, 7952, 57],
  ['beta_search', 'user5', 51, 91, 90, 6572, 82],
  ['welcome-message', 'user123', 59, 28, 68, 722, 70],
  ['dark-mode', 'user123', 1, 14, 48, 2982, 19],
  ['dark-mode', 'user_456', 48, 67, 20, 3364, 97],
];

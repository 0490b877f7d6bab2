/** Requests in one line, as a person of some role. */
import type { Response } from 'supertest';
import type { Role } from '../../src/platform/access/role.js';
import type { TestApp } from './app.js';

export type Json = Record<string, unknown>;
type Headers = Readonly<Record<string, string>>;
type Method = 'get' | 'post' | 'put' | 'delete';

export class Api {
  constructor(
    private readonly vexil: TestApp,
    private readonly role: Role | 'nobody' = 'admin',
  ) {}

  as(role: Role | 'nobody'): Api {
    return new Api(this.vexil, role);
  }

  get(path: string, headers: Headers = {}): Promise<Response> {
    return this.send('get', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers: Headers = {}): Promise<Response> {
    return this.send('post', path, body, headers);
  }

  put(path: string, body?: unknown, headers: Headers = {}): Promise<Response> {
    return this.send('put', path, body, headers);
  }

  delete(path: string, headers: Headers = {}): Promise<Response> {
    return this.send('delete', path, undefined, headers);
  }

  /** A body as it stands, for JSON that JSON.stringify would not write. */
  raw(method: 'post' | 'put', path: string, text: string): Promise<Response> {
    return this.send(method, path, text, { 'Content-Type': 'application/json' });
  }

  /** @throws unless the flag was made */
  async newFlag(body: Json): Promise<Json> {
    const made = await this.post('/flags', { name: 'A flag', environment_key: 'development', ...body });
    if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
    return made.body;
  }

  /** @throws unless it was changed, or was so already */
  async change(key: string, body: Json, environment = 'development'): Promise<Json> {
    const changed = await this.put(flagPath(key, environment), body);
    if (changed.status !== 200) throw new Error(`${changed.status} ${changed.text}`);
    return changed.body;
  }

  async flag(key: string, environment = 'development'): Promise<Json> {
    const found = await this.get(flagPath(key, environment));
    if (found.status !== 200) throw new Error(`${found.status} ${found.text}`);
    return found.body;
  }

  async evaluate(key: string, user?: string, environment = 'development'): Promise<Json> {
    const who = user === undefined ? '' : `&user_id=${encodeURIComponent(user)}`;
    return (await this.get(`/evaluate/${key}?environment_key=${environment}${who}`)).body;
  }

  /** The history of a flag, newest first. */
  async history(key: string): Promise<Json[]> {
    return (await this.get(`/audit/flag/${key}?limit=200`)).body;
  }

  async revision(environment = 'development'): Promise<number> {
    return (await this.get(`/environments/${environment}`)).body.revision;
  }

  private async send(method: Method, path: string, body: unknown, headers: Headers): Promise<Response> {
    const credential = this.role === 'nobody' ? {} : await this.vexil.bearer(this.role);
    const request = this.vexil.http[method](path).set({ ...credential, ...headers });
    return body === undefined ? request : request.send(body as object);
  }
}

/** Settings for a test that asks for more at once than a busy machine does within the usual second. */
export const PATIENT = { DATABASE_CONNECT_TIMEOUT_MS: '20000', DATABASE_STATEMENT_TIMEOUT_MS: '20000' };

export const flagPath = (key: string, environment = 'development'): string =>
  `/flags/${key}?environment_key=${environment}`;

/** Waits until `check` holds, and says how long that took. @throws after `limitMs` */
export async function eventually(check: () => Promise<boolean> | boolean, limitMs = 20_000): Promise<number> {
  const start = Date.now();
  while (!(await check())) {
    if (Date.now() - start > limitMs) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Date.now() - start;
}

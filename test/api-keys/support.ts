import type { TestApp } from '../support/app.js';

export interface MadeKey {
  readonly id: string;
  readonly secret: string;
  readonly prefix: string;
}

/** @throws unless the key was made */
export async function newKey(vexil: TestApp, body: Record<string, unknown>): Promise<MadeKey> {
  const made = await vexil.http
    .post('/auth/api-keys')
    .set(await vexil.bearer('admin'))
    .send({ name: 'A key', ...body });
  if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
  return made.body as MadeKey;
}

export const serverKey = (vexil: TestApp, more: Record<string, unknown> = {}) =>
  newKey(vexil, { kind: 'server', environment_key: 'development', ...more });

export const clientKey = (vexil: TestApp, more: Record<string, unknown> = {}) =>
  newKey(vexil, { kind: 'client', environment_key: 'development', ...more });

export const adminKey = (vexil: TestApp, role: string, more: Record<string, unknown> = {}) =>
  newKey(vexil, { kind: 'admin', role, ...more });

export const withKey = ({ secret }: { secret: string }) => ({ 'X-API-Key': secret });

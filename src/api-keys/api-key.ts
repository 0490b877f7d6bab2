import type { KeyKind } from '../platform/access/key-scope.js';
import type { Role } from '../platform/access/role.js';

/** What a program calls with. Its secret is known to nobody but its bearer. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly kind: KeyKind;
  /** The beginning of the secret, by which people recognise it; `API_KEY` for the one whose secret that setting says. */
  readonly prefix: string;
  /** Of server and client keys. */
  readonly environmentId: string | null;
  readonly environmentKey: string | null;
  /** Of admin keys. */
  readonly role: Role | null;
  /** 0: no limit. */
  readonly rateLimitPerMinute: number;
  /** Web origins whose pages may use a client key; none: all may. */
  readonly origins: readonly string[];
  readonly expiresAt: Date | null;
  /** Some half a minute late. */
  readonly lastUsedAt: Date | null;
  /** Who made it, as they were called then. */
  readonly createdBy: string;
  readonly createdById: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly revokedAt: Date | null;
}

/** Stands where other keys have the beginning of their secret: of this one nothing is to be seen. */
export const SETTING_PREFIX = 'API_KEY';

/** What an instance must know of a key to check it. */
export type KnownKey = Pick<
  ApiKey,
  | 'id'
  | 'name'
  | 'kind'
  | 'prefix'
  | 'environmentKey'
  | 'role'
  | 'rateLimitPerMinute'
  | 'origins'
  | 'expiresAt'
> & { readonly secretHash: string };

/** What the audit log says of a key. Not its secret, nor a hash of it. */
export const describeKey = (key: ApiKey): Record<string, unknown> => ({
  name: key.name,
  kind: key.kind,
  prefix: key.prefix,
  environment_key: key.environmentKey,
  role: key.role,
  rate_limit_per_minute: key.rateLimitPerMinute,
  origins: key.origins,
  expires_at: key.expiresAt?.toISOString() ?? null,
  revoked_at: key.revokedAt?.toISOString() ?? null,
});

import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { AuditAction } from '../audit/audit-entry.js';
import { AuditService } from '../audit/audit.service.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import type { Environment } from '../environments/environment.js';
import { EnvironmentRevisions } from '../environments/environment-revisions.js';
import { EnvironmentsService } from '../environments/environments.service.js';
import type { Actor } from '../platform/access/actor.js';
import type { KeyKind } from '../platform/access/key-scope.js';
import type { Role } from '../platform/access/role.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { Invalid } from '../platform/errors/errors.js';
import { ApiKeyNotFound, ApiKeyRevoked } from './api-key.errors.js';
import { ApiKeysChanged } from './api-key.events.js';
import { describeKey, SETTING_PREFIX, type ApiKey } from './api-key.js';
import { hashOfSecret, newSecret } from './api-key-secret.js';
import { ApiKeysRepository, type SettingKey } from './api-keys.repository.js';

const DEFAULT_PER_MINUTE = 1000;

/** Fields that are absent stay as they are. */
export interface ApiKeyUpdate {
  readonly name?: string | undefined;
  readonly rateLimitPerMinute?: number | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly reason?: string | undefined;
}

export interface NewApiKey extends ApiKeyUpdate {
  readonly name: string;
  readonly kind: KeyKind;
  /** Of server and client keys. */
  readonly environmentKey?: string | undefined;
  /** Of admin keys. */
  readonly role?: Role | undefined;
}

/** Makes, changes and revokes API keys. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly db: Database,
    private readonly keys: ApiKeysRepository,
    private readonly environments: EnvironmentsService,
    private readonly revisions: EnvironmentRevisions,
    private readonly audit: AuditService,
  ) {}

  async list(skip: number, limit: number): Promise<{ keys: ApiKey[]; total: number }> {
    return this.keys.list(skip, limit);
  }

  /** @throws ApiKeyNotFound */
  async find(id: string): Promise<ApiKey> {
    return existing(await this.keys.find(id));
  }

  /**
   * @returns the key, and its secret: this once and never again
   * @throws EnvironmentNotFound, Invalid
   */
  async create(actor: Actor, input: NewApiKey): Promise<{ key: ApiKey; secret: string }> {
    requireFuture(input.expiresAt);
    const wanted =
      input.environmentKey === undefined ? undefined : await this.environments.find(input.environmentKey);
    return this.change(async (tx, hold) => {
      // As everybody who changes things in an environment: held first, so that it cannot go meanwhile.
      const [environment] = wanted ? await this.revisions.lock(tx, [wanted.id]) : [];
      if (wanted && !environment) throw new EnvironmentNotFound(wanted.key);
      await hold();
      const { secret, prefix } = newSecret(input.kind);
      const key = drawnUp(actor, input, prefix, environment);
      await this.keys.insert(tx, key, hashOfSecret(secret));
      await this.record(tx, actor, { after: key }, { reason: input.reason });
      return { key, secret };
    });
  }

  /** @throws ApiKeyNotFound, ApiKeyRevoked, Invalid */
  async update(actor: Actor, id: string, input: ApiKeyUpdate): Promise<ApiKey> {
    requireFuture(input.expiresAt);
    return this.change(async (tx, hold) => {
      await hold();
      const before = existing(await this.keys.findIn(tx, id));
      if (before.revokedAt) throw new ApiKeyRevoked();
      if (input.origins && input.origins.length > 0 && before.kind !== 'client')
        throw new Invalid([{ path: 'origins', message: 'are for client keys' }]);
      const after: ApiKey = {
        ...before,
        name: input.name ?? before.name,
        rateLimitPerMinute: input.rateLimitPerMinute ?? before.rateLimitPerMinute,
        origins: input.origins === undefined ? before.origins : distinct(input.origins),
        expiresAt: input.expiresAt === undefined ? before.expiresAt : input.expiresAt,
        updatedAt: new Date(),
      };
      if (JSON.stringify(describeKey(after)) === JSON.stringify(describeKey(before))) return before;
      await this.keys.update(tx, after);
      await this.record(tx, actor, { before, after }, { reason: input.reason });
      return after;
    });
  }

  /** Ends a key for good. It stays in the list. Revoking one that is revoked changes nothing. @throws ApiKeyNotFound */
  async revoke(actor: Actor, id: string, reason?: string): Promise<void> {
    await this.change(async (tx, hold) => {
      await hold();
      const before = existing(await this.keys.findIn(tx, id));
      if (before.revokedAt) return;
      const now = new Date();
      const after: ApiKey = { ...before, revokedAt: now, updatedAt: now };
      await this.keys.update(tx, after);
      await this.record(tx, actor, { before, after }, { action: 'revoked', reason });
    });
  }

  /**
   * Sees to it that there is the one admin key whose secret a setting says, and none of a value that it had before. What is
   * so already is not touched, whoever asks, and how often.
   * @param secret `undefined`: there is to be none
   * @returns whether it is so: a key that a person has revoked stays revoked
   */
  async followSetting(actor: Actor, secret: string | undefined): Promise<boolean> {
    const hash = secret === undefined ? undefined : hashOfSecret(secret);
    const seen = stateOf(await this.keys.ofSetting(undefined, hash), hash);
    if (seen.isAsSaid) return !seen.isRefused;
    return this.change(async (tx, hold) => {
      await hold();
      const { others, own } = stateOf(await this.keys.ofSetting(tx, hash), hash);
      const reason = `the setting ${SETTING_PREFIX} is another one`;
      for (const before of others) {
        const now = new Date();
        const after: ApiKey = { ...before, revokedAt: now, updatedAt: now };
        await this.keys.retire(tx, after);
        await this.record(tx, actor, { before, after }, { action: 'revoked', reason });
      }
      if (own || hash === undefined) return !own?.revokedAt;
      const input = { name: `${SETTING_PREFIX} setting`, kind: 'admin', role: 'admin' } as const;
      const key = drawnUp(actor, input, SETTING_PREFIX);
      await this.keys.insert(tx, key, hash);
      await this.record(tx, actor, { after: key }, { reason: `said by the setting ${SETTING_PREFIX}` });
      return true;
    });
  }

  /** Removes every key of an environment that is about to go; its caller holds the environment and the transaction. */
  async deleteAll(tx: Tx, actor: Actor, environment: Environment): Promise<void> {
    await this.hold(tx);
    const keys = await this.keys.inEnvironment(tx, environment.id);
    await this.keys.deleteInEnvironment(tx, environment.id);
    const reason = `environment '${environment.key}' deleted`;
    for (const before of keys) await this.record(tx, actor, { before }, { reason });
  }

  /** Leaves word that a page in a browser has a key that is none of a page's business, once an hour for each key. */
  async reportBrowserUse(id: string, origin: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      if (!(await this.keys.mayReportBrowserUse(tx, id))) return;
      const key = await this.keys.findIn(tx, id);
      if (!key) return;
      const actor: Actor = { type: 'api_key', id, name: key.name, role: undefined, requestId: null };
      const reason = `refused: sent by a page of ${origin.slice(0, 200)}`;
      await this.record(tx, actor, { before: key, after: key }, { action: 'exposed', reason });
    });
  }

  private async change<T>(work: (tx: Tx, hold: () => Promise<void>) => Promise<T>): Promise<T> {
    return this.db.transaction((tx) => work(tx, () => this.hold(tx)));
  }

  /** One change of keys at a time; told to everybody at commit. */
  private async hold(tx: Tx): Promise<void> {
    const revision = await this.keys.advanceRevision(tx);
    tx.emit(new ApiKeysChanged());
    await tx.notify('api_keys', { revision });
  }

  private async record(
    tx: Tx,
    actor: Actor,
    { before, after }: { before?: ApiKey; after?: ApiKey },
    { action, reason }: { action?: AuditAction; reason?: string | undefined },
  ): Promise<void> {
    const key = after ?? before;
    if (!key) return;
    await this.audit.record(tx, {
      entityType: 'api_key',
      entityId: key.id,
      entityKey: key.prefix,
      actor,
      reason,
      ...(action ? { action } : {}),
      ...(key.environmentKey === null ? {} : { environmentKey: key.environmentKey }),
      ...(before ? { before: describeKey(before) } : {}),
      ...(after ? { after: describeKey(after) } : {}),
    });
  }
}

const drawnUp = (actor: Actor, input: NewApiKey, prefix: string, environment?: Environment): ApiKey => {
  const now = new Date();
  return {
    id: randomUUID(),
    name: input.name,
    kind: input.kind,
    prefix,
    environmentId: environment?.id ?? null,
    environmentKey: environment?.key ?? null,
    role: input.role ?? null,
    rateLimitPerMinute: input.rateLimitPerMinute ?? DEFAULT_PER_MINUTE,
    origins: distinct(input.origins ?? []),
    expiresAt: input.expiresAt ?? null,
    lastUsedAt: null,
    createdBy: actor.name,
    createdById: actor.id,
    createdAt: now,
    updatedAt: now,
    revokedAt: null,
  };
};

/** What the keys that a setting has made are like, beside what it says. */
function stateOf(keys: readonly SettingKey[], hash: string | undefined) {
  const own = keys.find(({ secretHash }) => secretHash === hash);
  const others = keys.filter((key) => key !== own);
  const isAsSaid = others.length === 0 && (own !== undefined) === (hash !== undefined);
  return { own, others, isAsSaid, isRefused: own !== undefined && own.revokedAt !== null };
}

function existing(key: ApiKey | undefined): ApiKey {
  if (!key) throw new ApiKeyNotFound();
  return key;
}

/** @throws Invalid */
function requireFuture(expiresAt: Date | null | undefined): void {
  if (expiresAt && expiresAt.getTime() <= Date.now())
    throw new Invalid([{ path: 'expires_at', message: 'must be in the future' }]);
}

const distinct = (origins: readonly string[]): string[] => [...new Set(origins)].sort();

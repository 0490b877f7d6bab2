import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccessChanged } from '../auth/access.events.js';
import { KeyRing, type KeyKeeper } from '../auth/key-ring.js';
import { kindOfSecret } from '../platform/access/credentials.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DatabaseConnected } from '../platform/database/database.js';
import { NotificationReceived, NotificationsResumed } from '../platform/database/notifications.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Paced } from '../platform/events/paced.js';
import { Repeating } from '../platform/events/repeating.js';
import { InvalidApiKey, KeyInBrowser, KeysNotLoaded, OriginNotAllowed } from './api-key.errors.js';
import { ApiKeysChanged } from './api-key.events.js';
import { SETTING_PREFIX, type KnownKey } from './api-key.js';
import { hashOfSecret } from './api-key-secret.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { ApiKeysService } from './api-keys.service.js';

/** How often an instance compares, in case a notification was lost: a revoked key is to be refused within a second. */
const COMPARE_EVERY_MS = 500;
const WRITE_USES_EVERY_MS = 30_000;
/** How long a goodbye may take. */
const LAST_WRITE_MS = 500;
/** The database has the last word on it; this keeps a page with many visitors from asking it each time. */
const REPORT_EVERY_MS = 60_000;

const MOST_LAST_FOUND = 256;

interface HeldKey {
  readonly scope: KeyScope;
  readonly origins: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Every API key that is not revoked, in memory, by the hash of its secret: a request is checked without waiting for
 * anything. Read anew whenever any key changes, here or on another instance; while the database is away, what is known stays.
 */
@Injectable()
export class ApiKeyDirectory
  implements KeyKeeper, OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly logger = new Logger(ApiKeyDirectory.name);
  private held: ReadonlyMap<string, HeldKey> | undefined;
  private byId: ReadonlyMap<string, HeldKey> = new Map();
  /** Whether there are keys whose secrets do not look like ours: without any, what does not look so is not looked for. */
  private hasForeign = false;
  /** By the secrets that were brought last, and are in the memory of this process in any case: hashing takes longer than deciding. */
  private readonly lastFound = new Map<string, HeldKey>();
  private revision = -1;
  /** One after the other, so that what was read earlier never replaces what was read later; a burst of changes is read once. */
  private readonly reading = new Paced(0, () => this.read());
  private uses = new Map<string, Date>();
  private readonly reported = new Map<string, number>();
  private readonly repeating: readonly Repeating[];
  private readonly settingHash: string | undefined;

  constructor(
    private readonly keys: ApiKeysRepository,
    private readonly service: ApiKeysService,
    private readonly ring: KeyRing,
    private readonly events: EventBus,
    @Inject(CONFIG) config: Pick<Config, 'apiKey'>,
  ) {
    this.settingHash = config.apiKey === undefined ? undefined : hashOfSecret(config.apiKey);
    events.on(ApiKeysChanged, () => this.reading.run());
    events.on(DatabaseConnected, () => this.reading.run());
    events.on(NotificationsResumed, () => this.doubt());
    events.on(NotificationReceived, ({ topic }) => (topic === 'api_keys' ? this.reading.run() : undefined));
    this.repeating = [
      new Repeating(COMPARE_EVERY_MS, () => this.compare()),
      new Repeating(WRITE_USES_EVERY_MS, () => this.writeUses()),
    ];
  }

  onModuleInit(): void {
    this.ring.register(this);
  }

  authenticate(secret: string, origin: string | undefined): KeyScope {
    const scope = this.admitted(this.find(secret), origin);
    this.uses.set(scope.keyId, new Date());
    return scope;
  }

  scopeOf(keyId: string, origin: string | undefined): KeyScope {
    if (!this.held) throw new KeysNotLoaded();
    return this.admitted(this.isValid(keyId) ? this.byId.get(keyId) : undefined, origin);
  }

  private admitted(key: HeldKey | undefined, origin: string | undefined): KeyScope {
    if (!key) throw new InvalidApiKey();
    const { scope } = key;
    if (origin !== undefined && scope.kind !== 'client') {
      this.report(scope.keyId, origin);
      throw new KeyInBrowser(scope.kind);
    }
    if (!allows(key, origin)) throw new OriginNotAllowed();
    return scope;
  }

  knows(secret: string): boolean {
    // What is to be known, but is not loaded yet, gets the answer that says so.
    if (!this.held) return this.settingHash !== undefined && this.settingHash === hashOfSecret(secret);
    return this.hasForeign && this.find(secret) !== undefined;
  }

  isValid(keyId: string): boolean {
    return (this.byId.get(keyId)?.expiresAt ?? 0) > Date.now();
  }

  /**
   * Whether pages of `origin` may read what is answered to a key; without one, whether there is a key with which they may. So
   * may they of a client key that has ended: all it is told is that it has, and a page must be able to tell that from a
   * connection that broke. And while no key is known, whatever says it is a client key: all it is told is to come again, and
   * where that turns out to be too much, the key itself does not admit the page.
   */
  isClientOrigin(origin: string, secret: string | undefined): boolean {
    if (!this.held) return secret === undefined || kindOfSecret(secret) === 'client';
    const known = secret === undefined ? undefined : this.find(secret);
    const isAny = secret === undefined || (!known && kindOfSecret(secret) === 'client');
    const candidates = isAny ? this.held.values() : [known];
    for (const key of candidates) if (key?.scope.kind === 'client' && allows(key, origin)) return true;
    return false;
  }

  /** @throws KeysNotLoaded */
  private find(secret: string): HeldKey | undefined {
    if (!this.held) throw new KeysNotLoaded();
    const key = this.lastFound.get(secret) ?? this.findByHash(this.held, secret);
    return key && key.expiresAt > Date.now() ? key : undefined;
  }

  private findByHash(held: ReadonlyMap<string, HeldKey>, secret: string): HeldKey | undefined {
    const mayBe = this.hasForeign || kindOfSecret(secret) !== undefined;
    const key = mayBe ? held.get(hashOfSecret(secret)) : undefined;
    if (key) {
      if (this.lastFound.size >= MOST_LAST_FOUND) this.lastFound.clear();
      this.lastFound.set(secret, key);
    }
    return key;
  }

  private async read(): Promise<void> {
    // The number first: what changes in between is read twice rather than not at all.
    const revision = await this.keys.revision();
    const keys = await this.keys.known();
    const held = keys.map((key) => [key.secretHash, holding(key)] as const);
    this.held = new Map(held);
    this.hasForeign = keys.some(({ prefix }) => prefix === SETTING_PREFIX);
    this.byId = new Map(held.map(([, key]) => [key.scope.keyId, key]));
    this.revision = revision;
    this.lastFound.clear();
    await this.events.publish(new AccessChanged());
  }

  private async compare(): Promise<void> {
    if ((await this.keys.revision()) !== this.revision || !this.held) await this.reading.run();
  }

  /** Whoever comes back may find a database put back from a backup, whose numbers say something else. */
  private doubt(): Promise<void> {
    this.revision = -1;
    return this.reading.run();
  }

  private report(id: string, origin: string): void {
    const now = Date.now();
    if (now - (this.reported.get(id) ?? 0) < REPORT_EVERY_MS) return;
    this.reported.set(id, now);
    this.service.reportBrowserUse(id, origin).catch((error: unknown) => {
      this.reported.delete(id);
      this.logger.warn('The use of a key in a browser could not be put into the audit log', error);
    });
  }

  /** Tells the database which keys were used since it was last told. */
  async writeUses(): Promise<void> {
    if (this.uses.size === 0) return;
    const uses = this.uses;
    this.uses = new Map();
    try {
      await this.keys.used(uses);
    } catch (error) {
      // Whoever was used again meanwhile knows better.
      this.uses = new Map([...uses, ...this.uses]);
      throw error;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const task of this.repeating) task.stop();
    const written = this.writeUses().catch(() => undefined);
    await Promise.race([written, sleep(LAST_WRITE_MS, undefined, { ref: false })]);
  }

  onApplicationShutdown(): void {
    for (const task of this.repeating) task.stop();
  }
}

const holding = (key: KnownKey): HeldKey => ({
  scope: Object.freeze({
    keyId: key.id,
    name: key.name,
    kind: key.kind,
    environmentKey: key.environmentKey ?? undefined,
    role: key.role ?? undefined,
    ratePerMinute: key.rateLimitPerMinute,
    clientOnly: key.kind === 'client',
  }),
  origins: new Set(key.origins),
  expiresAt: key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
});

/** What is no page says no origin; and where none is named all may. */
const allows = ({ origins }: HeldKey, origin: string | undefined): boolean =>
  origin === undefined || origins.size === 0 || origins.has(origin);

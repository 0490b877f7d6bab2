import { z } from 'zod';
import { BUCKETS } from '../../core/index.js';
import type { AuditEntry, JsonObject } from '../../audit/audit-entry.js';
import type { CacheReport } from '../../evaluation/caches.service.js';
import type { Answer } from '../../evaluation/evaluation.service.js';
import { flawOfKey, RESERVED_KEYS } from '../../flags/flag-key.js';
import type { Health } from '../../operations/health.service.js';
import { SERVICE } from '../../operations/service-info.js';
import type { Config } from '../../platform/config/settings.js';
import { fastApiFailure } from '../fastapi-failure.js';
import {
  Fault,
  field,
  integer,
  keyIn,
  percent,
  readText,
  text,
  truth,
  userId,
  valueError,
} from '../fastapi-input.js';
import { numberOf, type PlainFlag } from '../plain-flag.js';

/** The feature-flag service with a dashboard and a Python SDK: its words. */

const RESERVED = [...new Set([...RESERVED_KEYS, 'cache', 'internal', 'test'])].sort();

const key = field({ type: 'string', minLength: 1, maxLength: 100 }, (input): string | Fault => {
  const given = readText(input, 1, 100);
  if (given instanceof Fault) return given;
  const normal = keyIn(given);
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(normal))
    return valueError(
      'Key must be lowercase alphanumeric with hyphens or underscores, beginning with a letter or digit',
    );
  const flaw = flawOfKey(normal, RESERVED);
  return flaw === undefined ? normal : valueError(`Key ${flaw}`);
});
const name = text(1, 200);
const description = text(0, 1000).nullish();

export const createBody = z.object({
  key,
  name,
  description,
  enabled: truth().default(false),
  rollout_percentage: percent('hundredths').default(BUCKETS),
});
export const updateBody = z.object({
  name: name.nullish(),
  description,
  enabled: truth().nullish(),
  rollout_percentage: percent('hundredths').nullish(),
});
export const listQuery = z.object({
  skip: integer(0, 1_000_000_000).default(0),
  limit: integer(1, 1000).default(100),
});
export const evaluateQuery = z.object({ user_id: userId().optional() });
export const auditQuery = z.object({ limit: integer(1, 1000).default(100) });

export type CreateBody = z.output<typeof createBody>;
export type UpdateBody = z.output<typeof updateBody>;
export type ListQuery = z.output<typeof listQuery>;
export type EvaluateQuery = z.output<typeof evaluateQuery>;
export type AuditQuery = z.output<typeof auditQuery>;

export const presentFlag = (flag: PlainFlag) => ({
  id: flag.id,
  key: flag.key,
  name: flag.name,
  description: flag.description,
  enabled: flag.isEnabled,
  rollout_percentage: flag.percentage,
  created_at: flag.createdAt,
  updated_at: flag.updatedAt,
});

export const presentAnswer = (answer: Answer) => ({
  key: answer.decision.flagKey,
  enabled: answer.decision.isOn,
  reason: reasonOf(answer),
});

/** In its own words where it has some; what only we have is said in ours. */
function reasonOf({ decision, reason }: Answer): string {
  const { errorCode, placement, ruleId, valueType } = decision;
  if (errorCode === 'FLAG_NOT_FOUND') return 'Flag not found';
  if (decision.reason === 'STATIC' && decision.isOn) return 'Flag enabled for all users';
  const isPlain = decision.reason === 'SPLIT' && ruleId === undefined && valueType === 'boolean';
  if (!isPlain || !placement || placement.isSplit) return reason;
  const { bucket, coverage } = placement;
  if (coverage === 0) return 'Flag rollout is 0%';
  if (bucket === undefined) return reason;
  if (coverage === BUCKETS) return 'Flag enabled for all users';
  return `User in ${bucket < coverage ? 'enabled' : 'disabled'} rollout bucket (${asFloat(coverage / 100)}%)`;
}

/** As Python prints a float. */
const asFloat = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

export const presentEntry = (entry: AuditEntry) => ({
  id: entry.position,
  flag_id: numberOf(entry.entityId),
  action: entry.before === null ? 'created' : entry.after === null ? 'deleted' : 'updated',
  user: actorOf(entry),
  old_value: valueOf(entry.before),
  new_value: valueOf(entry.after),
  timestamp: entry.createdAt.toISOString(),
});

/** A key by its name; a person by a number, since anybody may read this and an e-mail address is none of their business. */
function actorOf({ actorType, actorId, actorName }: AuditEntry): string {
  if (actorType === 'anonymous') return 'development';
  return actorType === 'user' && actorId !== null ? `user-${numberOf(actorId)}` : actorName;
}

/** What it knows of a flag, as JSON in a text. */
function valueOf(state: JsonObject | null): string | null {
  if (state === null) return null;
  return JSON.stringify({
    key: state['key'],
    name: state['name'],
    description: state['description'],
    enabled: state['is_enabled'] === true && state['archived'] !== true,
    rollout_percentage: state['rollout_percentage'] ?? null,
  });
}

export const presentHealth = ({ isReady, degraded, database, cache }: Health, config: Config) => ({
  status: !isReady ? 'unavailable' : degraded.length > 0 ? 'degraded' : 'healthy',
  version: SERVICE.version,
  environment: config.nodeEnv,
  database,
  cache: cache === 'disconnected' ? 'disabled' : 'enabled',
});

export const presentStats = ({ shared }: CacheReport) =>
  shared.state === 'down'
    ? { enabled: false, message: 'Cache is disabled' }
    : {
        enabled: true,
        flag_keys: shared.keys ?? 0,
        keyspace_hits: shared.hits,
        keyspace_misses: shared.misses,
        hit_rate: Math.round(shared.hitRate * 10_000) / 100,
      };

export const presentRoot = () => ({
  message: 'Feature Flag Service API',
  version: SERVICE.version,
  docs: '/docs',
  health: '/health',
});

export const presentSecurity = (config: Config) => ({
  authentication_enabled: !config.compatOpenWrites,
  api_key_header: 'X-API-Key',
  environment: config.nodeEnv,
  cors_origins: config.allowedOrigins,
  rate_limiting_enabled: config.rateLimitPerMinute > 0,
});

export const dashboardFailure = fastApiFailure({
  not_authenticated: () => ({
    detail: {
      error: 'missing_api_key',
      message: "API key required. Provide via 'X-API-Key' header.",
    },
    headers: { 'WWW-Authenticate': 'ApiKey' },
  }),
  invalid_api_key: () => ({
    status: 403,
    detail: { error: 'invalid_api_key', message: 'Invalid API key provided.' },
    headers: { 'WWW-Authenticate': undefined },
  }),
  flag_not_found: (flag) => ({ detail: `Flag '${flag}' not found` }),
  flag_exists: (flag) => ({ status: 400, detail: `Flag with key '${flag}' already exists` }),
});

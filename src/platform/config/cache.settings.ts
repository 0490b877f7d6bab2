import { define, integer, oneOf, url } from './setting.js';

/** What is remembered, and how soon a change elsewhere is noticed. */
export const CACHE_SETTINGS = {
  redisUrl: define({
    name: 'REDIS_URL',
    what: 'Redis 7 or newer, for the shared cache and shared limits. Without it each instance uses its own memory.',
    unit: 'redis:// address',
    fallback: '',
    zero: 'empty: no Redis',
    isSecret: true,
    parse: url(['redis:', 'rediss:']),
  }),
  redisTls: define({
    name: 'REDIS_TLS',
    what: 'Which certificates a Redis at a `rediss://` address may have: one of an authority that is known (`verified`), or any (`unverified`).',
    unit: 'verified or unverified',
    fallback: 'verified',
    parse: oneOf(['verified', 'unverified']),
  }),
  cacheTtlSeconds: define({
    name: 'CACHE_TTL_SECONDS',
    what: 'How long the answer to a management read is kept. A change supersedes it at once; this only bounds memory.',
    unit: 'seconds',
    fallback: '60',
    zero: 'no such answer is kept',
    parse: integer(0, 86_400),
  }),
  revisionPollSeconds: define({
    name: 'REVISION_POLL_SECONDS',
    what: 'How often an instance compares revisions with the database, in case a notification was lost.',
    unit: 'seconds',
    fallback: '2',
    parse: integer(1, 300),
  }),
} as const;

import { isIP } from 'node:net';
import { define, integer, oneOf } from './setting.js';

function origins(text: string): readonly string[] {
  const list = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  for (const item of list) {
    const isOrigin = URL.canParse(item) && new URL(item).origin === item && !item.includes('*');
    if (item !== '*' && !isOrigin) {
      throw new Error(
        `must list origins such as https://app.example.com (scheme, host, port, nothing more), not '${item}'`,
      );
    }
  }
  return list;
}

/** Express's own notation: a count of proxies, or addresses and networks to believe. `false` believes nobody. */
function trustProxy(text: string): false | number | readonly string[] {
  if (text === '' || text === '0') return false;
  if (/^\d+$/.test(text)) return Number(text);
  const list = text.split(',').map((item) => item.trim());
  for (const item of list) {
    const [address = '', bits, extra] = item.split('/');
    const family = isIP(address);
    const isNoSize =
      bits !== undefined &&
      (!/^\d{1,3}$/.test(bits) || Number(bits) < 1 || Number(bits) > (family === 4 ? 32 : 128));
    if (
      extra !== undefined ||
      isNoSize ||
      (family === 0 && !['loopback', 'linklocal', 'uniquelocal'].includes(item))
    ) {
      throw new Error(
        `must be a number of proxies, or addresses and networks such as 10.0.0.0/8, not '${item}'`,
      );
    }
  }
  return list;
}

/** Whom the service answers, whom it believes, and how it leaves. */
export const HTTP_SETTINGS = {
  allowedOrigins: define({
    name: 'ALLOWED_ORIGINS',
    what: 'Web origins whose pages may call the service.',
    unit: 'comma-separated origins, or *',
    fallback: '',
    zero: 'empty: none but its own',
    parse: origins,
  }),
  trustProxy: define({
    name: 'TRUST_PROXY',
    what: 'Whose `X-Forwarded-For` is believed: the number of proxies in front, or their addresses. Set it, and only it, to what is really there.',
    unit: 'count, or comma-separated addresses and networks',
    fallback: '0',
    zero: 'nobody: the socket address counts',
    parse: trustProxy,
  }),
  evaluateAccess: define({
    name: 'EVALUATE_ACCESS',
    what: 'Who may ask `/evaluate`: anybody (`public`), or only who brings an API key or is logged in (`key`). Then `/metrics`, which names every flag, asks for an admin key too. A key that is given is checked either way.',
    unit: 'public or key',
    fallback: 'public',
    parse: oneOf(['public', 'key']),
  }),
  rateLimitPerMinute: define({
    name: 'RATE_LIMIT_PER_MINUTE',
    what: 'Requests that one network may send without an API key, over all instances. Set it where everybody can reach the service. Keys have limits of their own.',
    unit: 'requests per minute',
    fallback: '0',
    zero: 'no limit',
    parse: integer(0, 100_000_000),
  }),
  shutdownGraceSeconds: define({
    name: 'SHUTDOWN_GRACE_SECONDS',
    what: 'After SIGTERM, how long the service goes on answering while load balancers notice that it is not ready.',
    unit: 'seconds',
    fallback: '0',
    zero: 'closes at once, finishing what is under way',
    parse: integer(0, 300),
  }),
} as const;

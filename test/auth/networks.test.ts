import { describe, expect, it } from '@jest/globals';
import { AttemptLimiter } from '../../src/auth/attempt-limiter.js';
import { LoginFailed } from '../../src/auth/auth.errors.js';
import { networkOf } from '../../src/auth/network.js';
import { RedisConnection } from '../../src/platform/cache/redis-connection.js';
import { loadConfig } from '../../src/platform/config/settings.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
  ['0000:0000:0000:0000:0000:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:0db8:0001:0002'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:0db8:0001:0002'],
  ['2001:0DB8:0001:0002::', '2001:0db8:0001:0002'],
  ['2001:db8:1:2::1', '2001:0db8:0001:0002'],
  ['2001:db8:1:3::1', '2001:0db8:0001:0003'],
  ['2001:db8::1', '2001:0db8:0000:0000'],
  ['2001:db8:1::1', '2001:0db8:0001:0000'],
  ['::1', '0000:0000:0000:0000'],
  ['::', '0000:0000:0000:0000'],
  ['1::', '0001:0000:0000:0000'],
  ['1::2:3:4:5:6:7', '0001:0000:0002:0003'],
  ['1:2::3:4:5:6:7', '0001:0002:0000:0003'],
  ['::2:3:4:5:6:7:8', '0000:0002:0003:0004'],
  ['64:ff9b::192.0.2.1', '0064:ff9b:0000:0000'],
  ['1:2:3:4:5:6:192.0.2.1', '0001:0002:0003:0004'],
  ['fe80::1%eth0', 'fe80:0000:0000:0000'],
  ['unknown', 'unknown'],
  ['', ''],
])('networkOf(%j) is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

describe('a Redis that does not answer', () => {
  const limiter = () => {
    const config = loadConfig({ NODE_ENV: 'test', LOGIN_ATTEMPTS_PER_MINUTE: '5' });
    return new AttemptLimiter(config, new RedisConnection({ url: 'redis://127.0.0.1:1' }));
  };

  const fail = () => Promise.reject(new LoginFailed());
  const guess = (attempts: AttemptLimiter, address: string) =>
    attempts
      .attempt('a@example.com', address, fail)
      .catch((error: unknown) => (error as { code: string }).code);

  it('does not open the door: this instance counts by itself', async () => {
    const attempts = limiter();
    for (let n = 0; n < 5; n += 1) expect(await guess(attempts, '192.0.2.1')).toBe('login_failed');
    expect(await guess(attempts, '192.0.2.1')).toBe('too_many_attempts');
    expect(await guess(attempts, '192.0.2.2')).toBe('login_failed');
  });

  it('does not make those wait who know their password', async () => {
    const attempts = limiter();
    for (let n = 0; n < 100; n += 1)
      expect(await attempts.attempt('a@example.com', '192.0.2.1', () => Promise.resolve('in'))).toBe('in');
  });
});

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { randomBytes, randomInt } from 'node:crypto';
import express from 'express';
import { ConfigurationError, loadConfig, SETTINGS } from '../../src/platform/config/settings.js';
import { signingSecret } from '../../src/platform/config/signing-secret.js';

const SECRET = randomBytes(32).toString('hex');
const mistakesOf = (env: Record<string, string>): readonly string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
};

describe('every setting', () => {
  const settings = Object.entries(SETTINGS);

  it.each(settings)('%s has a name, one sentence, a unit and a default that parses', (_, setting) => {
    expect(setting.name).toMatch(/^[A-Z][A-Z0-9_]*$/);
    expect(setting.what).toMatch(/^[A-Z].*\.$/);
    expect(setting.unit).not.toBe('');
    expect(() => setting.parse(setting.fallback)).not.toThrow();
    if (setting.fallback === '' || setting.fallback === '0')
      expect(setting.zero ?? (setting.isSecret ? 'made when absent' : '')).not.toBe('');
  });

  it('has a name of its own', () => {
    const names = settings.map(([, { name }]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has its documented default when the environment says nothing', () => {
    expect(loadConfig({})).toEqual(
      Object.fromEntries(settings.map(([field, setting]) => [field, setting.parse(setting.fallback)])),
    );
    expect(loadConfig({})).toMatchObject({
      port: 8000,
      nodeEnv: 'development',
      dataDir: '.data',
      databaseUrl: undefined,
      redisUrl: undefined,
      jwtExpireMinutes: 60,
      cacheTtlSeconds: 60,
      registrationOpen: true,
      migrateOnStart: true,
      trustProxy: false,
      allowedOrigins: [],
    });
  });

  it('is read from the variable of its name, without spaces around it', () => {
    expect(loadConfig({ PORT: ' 9000 ', REGISTRATION_OPEN: 'false', LOG_LEVEL: 'debug\n' })).toMatchObject({
      port: 9000,
      registrationOpen: false,
      logLevel: 'debug',
    });
  });

  it('that nobody knows is passed over: the environment holds much else', () => {
    expect(loadConfig({ PATH: '/bin', SOMETHING: 'else' })).toEqual(loadConfig({}));
  });
});

describe('mistakes', () => {
  it('are listed all at once, each with the name of its setting', () => {
    const wrong = {
      PORT: 'http',
      HOST: ' ',
      NODE_ENV: 'prod',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
      DATABASE_POOL_SIZE: '0',
      DATABASE_CONNECT_TIMEOUT_MS: '-1',
      DATABASE_STATEMENT_TIMEOUT_MS: '1e3',
      MIGRATE_ON_START: 'yes',
      REDIS_URL: 'localhost:6379',
      CACHE_TTL_SECONDS: '1.5',
      REVISION_POLL_SECONDS: '0',
      JWT_SECRET_KEY: 'short',
      JWT_SECRET_KEY_PREVIOUS: 'short too',
      JWT_EXPIRE_MINUTES: '721',
      REGISTRATION_OPEN: 'TRUE',
      LOGIN_ATTEMPTS_PER_MINUTE: '0',
      REGISTRATIONS_PER_HOUR: '',
      ALLOWED_ORIGINS: 'example.com',
      TRUST_PROXY: 'true',
      SHUTDOWN_GRACE_SECONDS: '∞',
      DATA_DIR: 'a\0b',
    };
    const known = Object.values(SETTINGS).map(({ name }) => name);
    expect(Object.keys(wrong).filter((name) => !known.includes(name))).toEqual([]);
    const mistakes = mistakesOf(wrong);
    expect(mistakes.map((mistake) => mistake.split(' ')[0]).sort()).toEqual(Object.keys(wrong).sort());
    expect(() => loadConfig(wrong)).toThrow(`The configuration has ${Object.keys(wrong).length} mistake(s)`);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['PORT', ''],
    ['PORT', '８０００'],
    ['PORT', '99999999999999999999999'],
    ['NODE_ENV', 'Production'],
    ['DATABASE_URL', 'postgres://'],
    ['DATABASE_URL', '/var/run/postgresql'],
    ['DATABASE_URL', 'http://localhost/db'],
    ['REDIS_URL', 'http://localhost'],
    ['ALLOWED_ORIGINS', 'https://app.example.com/'],
    ['ALLOWED_ORIGINS', 'https://app.example.com/path'],
    ['ALLOWED_ORIGINS', 'https://*.example.com'],
    ['ALLOWED_ORIGINS', 'null'],
    ['ALLOWED_ORIGINS', 'https://ok.example.com, nonsense'],
    ['ALLOWED_ORIGINS', 'HTTPS://APP.EXAMPLE.COM'],
    ['TRUST_PROXY', '-1'],
    ['TRUST_PROXY', 'all'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '10.0.0.0/'],
    ['TRUST_PROXY', '10.0.0.0/8/8'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['TRUST_PROXY', '::/0'],
    ['TRUST_PROXY', '2001:db8::/129'],
    ['TRUST_PROXY', '10.0.0.1,'],
    ['TRUST_PROXY', '10.0.0'],
    ['TRUST_PROXY', 'loopback/8'],
    ['TRUST_PROXY', 'proxy.example.com'],
  ])('%s=%s is one', (name, value) => {
    const mistakes = mistakesOf({ [name]: value });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(new RegExp(`^${name} must `));
  });

  it.each([
    ['ALLOWED_ORIGINS', '*', ['*']],
    [
      'ALLOWED_ORIGINS',
      'https://a.example.com, http://localhost:3000',
      ['https://a.example.com', 'http://localhost:3000'],
    ],
    ['ALLOWED_ORIGINS', ' , ', []],
    [
      'DATABASE_URL',
      'postgresql://u:p@h:5432/d?sslmode=require',
      'postgresql://u:p@h:5432/d?sslmode=require',
    ],
    ['REDIS_URL', 'rediss://:p@h:6380/1', 'rediss://:p@h:6380/1'],
    ['CACHE_TTL_SECONDS', '0', 0],
    ['PORT', '0', 0],
  ])('%s=%s is none', (name, value, expected) => {
    const [field] = Object.entries(SETTINGS).find(([, setting]) => setting.name === name)!;
    expect(loadConfig({ [name]: value })[field as keyof typeof SETTINGS]).toEqual(expected);
  });

  it.each([
    ['', false],
    ['0', false],
    ['1', 1],
    ['2', 2],
    ['loopback', ['loopback']],
    ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
    ['192.0.2.1', ['192.0.2.1']],
    ['2001:db8::/32', ['2001:db8::/32']],
    ['10.0.0.0/1, ::1/128', ['10.0.0.0/1', '::1/128']],
    ['linklocal,uniquelocal', ['linklocal', 'uniquelocal']],
  ])('TRUST_PROXY=%s is none, and Express understands it', (value, expected) => {
    const { trustProxy } = loadConfig({ TRUST_PROXY: value });
    expect(trustProxy).toEqual(expected);
    expect(() => express().set('trust proxy', trustProxy)).not.toThrow();
  });
});

describe('secrets', () => {
  it.each([
    'hunter2',
    'a'.repeat(64),
    'abababababababababababababababababab',
    '0123456789abcdef0123456789abcdef',
    '12345678901234567890123456789012',
    'secretsecretsecretsecretsecretsecret',
    'your-secret-key-change-in-production',
    'your-super-secret-key-change-this-in-production',
    'your-super-secret-jwt-key-change-me-please',
    'change-me-to-a-long-random-string-in-production',
    'CHANGE_THIS_SECRET_KEY_IN_PRODUCTION_PLEASE',
    'vexil-development-secret-key-not-for-production',
    'super_secret_password_for_my_app_token',
    'this-is-a-secret-key-for-jwt-signing-do-not-use',
    'my-256-bit-secret-my-256-bit-secret',
    'your-256-bit-secret-your-256-bit-secret-key',
    'passwordpasswordpasswordpassword1234',
  ])('refuses %s, and does not print it', (value) => {
    for (const name of ['JWT_SECRET_KEY', 'JWT_SECRET_KEY_PREVIOUS', 'API_KEY'])
      for (const nodeEnv of ['production', 'development', 'test']) {
        const env = { JWT_SECRET_KEY: SECRET, NODE_ENV: nodeEnv, [name]: value };
        const mistakes = mistakesOf(env);
        expect(mistakes).toHaveLength(1);
        expect(mistakes[0]).toMatch(new RegExp(`^${name} (is|repeats) `));
        expect(mistakes[0]).not.toContain(value);
      }
  });

  it.each([
    ['hexadecimal', () => randomBytes(32).toString('hex')],
    ['the fewest hexadecimal digits', () => randomBytes(16).toString('hex')],
    ['base64', () => randomBytes(32).toString('base64')],
    ['base64url', () => randomBytes(24).toString('base64url')],
    ['decimal', () => Array.from({ length: 60 }, () => randomInt(10)).join('')],
    [
      'punctuation',
      () => Array.from({ length: 60 }, () => '!#$%&()*+,;<=>?@[]^{|}~'[randomInt(23)]).join(''),
    ],
    [
      'other scripts',
      () => Array.from({ length: 40 }, () => String.fromCharCode(0x430 + randomInt(32))).join(''),
    ],
    ['a passphrase', () => 'correct horse battery staple violin umbrella'],
  ])('takes what is random: %s', (_, make) => {
    for (let n = 0; n < 500; n += 1) expect(mistakesOf({ JWT_SECRET_KEY: make() })).toEqual([]);
  });

  it.each([
    ['one that the service made', `vx_admin_00000000_${'x'.repeat(43)}`],
    ['what would be taken for a token', `${SECRET}.${SECRET}.${SECRET}`],
    ['two of them', `${SECRET}, ${SECRET}`],
    ['more than a header should hold', randomBytes(200).toString('hex')],
    ['other scripts', 'б'.repeat(40)],
  ])('API_KEY is not %s', (_, value) => {
    const mistakes = mistakesOf({ API_KEY: value });
    expect(mistakes).toEqual([expect.stringMatching(/^API_KEY must /)]);
    expect(mistakes[0]).not.toContain(value);
  });

  it('API_KEY is not what signs tokens, and may be left out', () => {
    expect(mistakesOf({ API_KEY: SECRET, JWT_SECRET_KEY: SECRET })).toEqual([
      'API_KEY must be another secret than JWT_SECRET_KEY: whoever has that one can be anybody',
    ]);
    expect(mistakesOf({ API_KEY: SECRET })).toEqual([]);
    expect(loadConfig({ API_KEY: ' ' }).apiKey).toBeUndefined();
    for (const make of ['hex', 'base64', 'base64url'] as const)
      expect(mistakesOf({ API_KEY: randomBytes(32).toString(make) })).toEqual([]);
  });

  it('are needed in production, and there only', () => {
    expect(mistakesOf({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^JWT_SECRET_KEY is missing/),
    ]);
    expect(mistakesOf({ NODE_ENV: 'production', JWT_SECRET_KEY: '  ' })).toHaveLength(1);
    expect(mistakesOf({ NODE_ENV: 'production', JWT_SECRET_KEY_PREVIOUS: SECRET })).toHaveLength(1);
    expect(mistakesOf({ NODE_ENV: 'production', JWT_SECRET_KEY: SECRET })).toEqual([]);
    expect(mistakesOf({ NODE_ENV: 'development' })).toEqual([]);
  });

  it.each([
    ['DATABASE_URL', 'mysql://u:canary@h/d'],
    ['DATABASE_URL', 'postgres://u:canary@:notaport/d'],
    ['REDIS_URL', 'http://:canary@h'],
    ['REDIS_URL', 'canary'],
    ['JWT_SECRET_KEY', 'canary'],
    ['JWT_SECRET_KEY_PREVIOUS', 'canary'],
  ])('in %s are not printed when it is wrong', (name, value) => {
    const mistakes = mistakesOf({ [name]: value });
    expect(mistakes).toHaveLength(1);
    expect(mistakes.join()).not.toContain('canary');
  });

  it('are marked as such', () => {
    const marked = Object.values(SETTINGS)
      .filter(({ isSecret }) => isSecret)
      .map(({ name }) => name);
    expect(marked.sort()).toEqual([
      'API_KEY',
      'DATABASE_URL',
      'JWT_SECRET_KEY',
      'JWT_SECRET_KEY_PREVIOUS',
      'REDIS_URL',
    ]);
  });
});

describe('the secret that development makes', () => {
  const inFolder = (work: (folder: string) => void) => {
    const folder = mkdtempSync(join(tmpdir(), 'vexil-secret-'));
    try {
      work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  it('is made once, is long, and is readable by its owner only', () =>
    inFolder((folder) => {
      const config = loadConfig({ DATA_DIR: join(folder, 'data') });
      const first = signingSecret(config);
      expect(first).toMatch(/^[\da-f]{64}$/);
      expect(signingSecret(config)).toBe(first);
      const file = join(folder, 'data', 'jwt-secret');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, 'utf8').trim()).toBe(first);
      expect(readdirSync(join(folder, 'data'))).toEqual(['jwt-secret']);
    }));

  it('differs from place to place', () =>
    inFolder((folder) => {
      const of = (name: string) => signingSecret(loadConfig({ DATA_DIR: join(folder, name) }));
      expect(of('a')).not.toBe(of('b'));
    }));

  it('is not made where one is configured', () =>
    inFolder((folder) => {
      const config = loadConfig({ DATA_DIR: join(folder, 'data'), JWT_SECRET_KEY: SECRET });
      expect(signingSecret(config)).toBe(SECRET);
      expect(existsSync(join(folder, 'data'))).toBe(false);
    }));

  it.each(['', '\n', 'half-writ'])('is not used when it is damaged (%j): anybody could guess it', (content) =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'jwt-secret'), content);
      expect(() => signingSecret(loadConfig({ DATA_DIR: folder }))).toThrow(/jwt-secret is damaged/);
    }),
  );

  it('is kept with Windows line ends or with wider rights, too', () =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'jwt-secret'), `${SECRET}\r\n`);
      chmodSync(join(folder, 'jwt-secret'), 0o640);
      expect(signingSecret(loadConfig({ DATA_DIR: folder }))).toBe(SECRET);
    }));
});

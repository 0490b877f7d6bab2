import { boolean, define, integer } from './setting.js';

/** Of these words the secrets are made that stand in tutorials, in other products' defaults, or in our own documents. */
const KNOWN_WORDS =
  /(supersecret|development|production|characters|signing|changeit|changeme|insecure|password|example|default|random|secret|should|please|longer|string|unsafe|change|vexil|super|token|least|local|bytes|admin|must|long|this|that|with|test|prod|your|hmac|hs256|flags?|key|jwt|dev|env|min|not|use|for|the|my|me|in|at|be|to|do|it|is|an?)/g;
/** Characters beside those words that a secret has at least. */
const OWN_CHARACTERS = 16;
/** Different neighbours that even the least mixed secret of 32 random digits has. */
const DIFFERENT_PAIRS = 18;

function secret(text: string): string | undefined {
  if (text === '') return undefined;
  if (Buffer.byteLength(text) < 32)
    throw new Error('is too short: at least 32 bytes, for example from `openssl rand -hex 32`');
  const pairs = new Set(Array.from(text.slice(1), (character, index) => text.charAt(index) + character));
  if (pairs.size < DIFFERENT_PAIRS) throw new Error('repeats too few characters to be a secret');
  const own = text
    .toLowerCase()
    .replace(/[\s_.:/-]/g, '')
    .replace(KNOWN_WORDS, '');
  if (own.length < OWN_CHARACTERS) throw new Error('is a well-known value, not a secret');
  return text;
}

const MOST_KEY_CHARACTERS = 256;

/** As a secret, and sendable as `X-API-Key` and as `Bearer`: without a dot, by which a token is told from it. */
function apiKey(text: string): string | undefined {
  if (text.startsWith('vx_'))
    throw new Error('must not begin with vx_, as the keys do that the service makes itself');
  if (!/^[0-9A-Za-z_~+/=-]*$/.test(text) || text.length > MOST_KEY_CHARACTERS)
    throw new Error(`must be up to ${MOST_KEY_CHARACTERS} letters, digits and - _ ~ + / =`);
  return secret(text);
}

/** Who gets in, and for how long. */
export const AUTH_SETTINGS = {
  jwtSecretKey: define({
    name: 'JWT_SECRET_KEY',
    what: 'Signs access tokens (HS256). The same for all instances. Needed in production; development makes one and keeps it in `DATA_DIR`.',
    unit: 'text of 32 bytes or more',
    fallback: '',
    zero: 'empty: one is made; refused in production',
    isSecret: true,
    parse: secret,
  }),
  jwtSecretKeyPrevious: define({
    name: 'JWT_SECRET_KEY_PREVIOUS',
    what: 'The secret before the present one: its tokens stay valid until they expire, so that a secret can be changed without logging people out.',
    unit: 'text of 32 bytes or more',
    fallback: '',
    zero: 'empty: none',
    isSecret: true,
    parse: secret,
  }),
  jwtExpireMinutes: define({
    name: 'JWT_EXPIRE_MINUTES',
    what: 'How long an access token is valid. It can be refreshed while it is, up to 12 hours after login.',
    unit: 'minutes',
    fallback: '60',
    parse: integer(1, 720),
  }),
  apiKey: define({
    name: 'API_KEY',
    what:
      'The secret of one API key with the role admin, which is there from the first start on: for programs that cannot wait until a person makes one. ' +
      'The same for all instances. Another value, or none, ends the key of the one before when an instance starts.',
    unit: 'text of 32 to 256 letters, digits and - _ ~ + / =',
    fallback: '',
    zero: 'empty: no such key',
    isSecret: true,
    parse: apiKey,
  }),
  registrationOpen: define({
    name: 'REGISTRATION_OPEN',
    what: 'Whether anybody may register (as a viewer). When closed people come in by invitation only, and the first admin can be set up.',
    unit: 'true or false',
    fallback: 'true',
    parse: boolean,
  }),
  loginAttemptsPerMinute: define({
    name: 'LOGIN_ATTEMPTS_PER_MINUTE',
    what: 'Failed logins allowed for one account from one network; one network may fail ten times as often over all accounts. So many tries of invitations that do not exist are allowed from one network, too.',
    unit: 'attempts per minute',
    fallback: '10',
    parse: integer(1, 1000),
  }),
  registrationsPerHour: define({
    name: 'REGISTRATIONS_PER_HOUR',
    what: 'Accounts that one network may register, with an invitation or without.',
    unit: 'registrations per hour',
    fallback: '500',
    parse: integer(1, 100_000),
  }),
} as const;

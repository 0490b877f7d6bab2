import type { KeyKind } from '../../src/platform/access/key-scope.js';
import type { Role } from '../../src/platform/access/role.js';

/**
 * Who may call a route: everybody, or people with this role or a higher one. A key is refused unless its kind is named, and
 * an admin key passes where its role does, but not where it takes a `person`. `public` alone looks at no credential, and a
 * route for a `key` lets no person in and no key but those of the kinds that are named. Where a `public` route names kinds, a key
 * that is brought must be of one of them.
 */
export interface Row {
  readonly access: 'public' | 'key' | Role;
  readonly keys?: readonly KeyKind[];
  readonly person?: true;
  /** Of a route that speaks another system's dialect: the statuses with which that tells of no credential, and of a wrong key. */
  readonly dialect?: { readonly missing: number; readonly wrong: number };
}
const role = (access: Role): Row => ({ access });
const person = (access: Role): Row => ({ access, person: true });
const PUBLIC: Row = { access: 'public' };
const FOLLOWS: Row = { access: 'viewer', keys: ['server'] };
const EVALUATES: Row = { access: 'public', keys: ['server', 'client', 'admin'] };

const FOR_KEYS: Row = { access: 'key', keys: ['server', 'client'] };

const DASHBOARD = { missing: 401, wrong: 403 };
const PLAIN = { missing: 401, wrong: 401 };
const V1 = { missing: 422, wrong: 401 };
const looks = (dialect: Row['dialect']): Row => ({
  access: 'public',
  keys: ['server', 'admin'],
  ...(dialect && { dialect }),
});
const asks = (dialect: Row['dialect']): Row => ({ ...EVALUATES, ...(dialect && { dialect }) });
const writes = (access: Role, dialect: Row['dialect']): Row => ({ access, ...(dialect && { dialect }) });

/** A new route needs a row here. */
export const MATRIX: Readonly<Record<string, Row>> = {
  'GET /': PUBLIC,
  'GET /metrics': PUBLIC,
  'GET /health': PUBLIC,
  'GET /health/live': PUBLIC,
  'GET /health/ready': PUBLIC,
  'GET /openapi.json': PUBLIC,

  'POST /auth/register': PUBLIC,
  'POST /auth/login': PUBLIC,
  'GET /auth/setup': PUBLIC,
  'POST /auth/setup': PUBLIC,
  'POST /auth/refresh': person('viewer'),
  'GET /auth/me': person('viewer'),
  'GET /auth/users': person('admin'),
  'PUT /auth/users/:id/role': person('admin'),
  'PUT /auth/users/:id/active': person('admin'),

  'GET /auth/invites': person('admin'),
  'POST /auth/invites': person('admin'),
  'DELETE /auth/invites/:id': person('admin'),
  'POST /auth/invites/look': PUBLIC,
  'POST /auth/invites/accept': PUBLIC,

  'GET /auth/api-keys': person('admin'),
  'GET /auth/api-keys/:id': person('admin'),
  'POST /auth/api-keys': person('admin'),
  'PATCH /auth/api-keys/:id': person('admin'),
  'DELETE /auth/api-keys/:id': person('admin'),

  'GET /environments': role('viewer'),
  'GET /environments/:key': role('viewer'),
  'POST /environments': role('admin'),
  'PUT /environments/:key': role('admin'),
  'DELETE /environments/:key': role('admin'),

  'GET /flag-table': role('viewer'),
  'GET /activity': role('viewer'),
  'GET /usage': role('viewer'),
  'GET /flags/:key/usage': role('viewer'),

  'GET /flags': role('viewer'),
  'GET /flags/:key': role('viewer'),
  'GET /flags/:key/targets/:variant': role('viewer'),
  'GET /flags/:key/lint': role('viewer'),
  'POST /flags/:key/re-randomise': role('developer'),
  'POST /flags/:key/revert': role('developer'),
  'POST /flags': role('developer'),
  'PUT /flags/:key': role('developer'),
  'DELETE /flags/:key': role('admin'),

  'GET /segments': role('viewer'),
  'GET /segments/:key': role('viewer'),
  'GET /segments/:key/keys': role('viewer'),
  'POST /segments': role('developer'),
  'PUT /segments/:key': role('developer'),
  'POST /segments/:key/revert': role('developer'),
  'DELETE /segments/:key': role('admin'),

  'GET /stream': FOLLOWS,
  'GET /ruleset': FOLLOWS,

  'GET /evaluate/:flag_key': EVALUATES,
  'POST /evaluate/:flag_key': EVALUATES,
  'POST /evaluate': EVALUATES,

  'POST /conditions/try': role('viewer'),

  'POST /ofrep/v1/evaluate/flags/:key': FOR_KEYS,
  'POST /ofrep/v1/evaluate/flags': FOR_KEYS,
  // Its address is its credential, and without one nothing is looked at.
  'GET /ofrep/v1/stream': PUBLIC,

  'GET /audit': role('viewer'),
  'GET /audit/flag/:key': role('viewer'),
  'GET /audit/verify': role('viewer'),

  'GET /cache/stats': role('viewer'),
  'DELETE /flags/:key/cache': role('developer'),

  'GET /compat/dashboard': PUBLIC,
  'GET /compat/dashboard/health': PUBLIC,
  'GET /compat/dashboard/docs': PUBLIC,
  'GET /compat/dashboard/redoc': PUBLIC,
  'GET /compat/dashboard/openapi.json': PUBLIC,
  'GET /compat/dashboard/security-info': PUBLIC,
  'GET /compat/dashboard/flags': looks(DASHBOARD),
  'GET /compat/dashboard/flags/:key': looks(DASHBOARD),
  'GET /compat/dashboard/flags/:key/audit': looks(DASHBOARD),
  'GET /compat/dashboard/flags/_cache/stats': looks(DASHBOARD),
  'GET /compat/dashboard/flags/:key/evaluate': asks(DASHBOARD),
  'POST /compat/dashboard/flags': writes('developer', DASHBOARD),
  'POST /compat/dashboard/flags/_cache/clear': writes('developer', DASHBOARD),
  'PUT /compat/dashboard/flags/:key': writes('developer', DASHBOARD),
  'DELETE /compat/dashboard/flags/:key': writes('admin', DASHBOARD),

  'GET /compat/mvp/health': PUBLIC,
  'GET /compat/mvp/docs': PUBLIC,
  'GET /compat/mvp/redoc': PUBLIC,
  'GET /compat/mvp/openapi.json': PUBLIC,
  'GET /compat/mvp/flags': looks(PLAIN),
  'GET /compat/mvp/flags/:name': looks(PLAIN),
  'GET /compat/mvp/users/:user/flags': asks(PLAIN),
  'GET /compat/mvp/users/:user/flags/:name': asks(PLAIN),
  'POST /compat/mvp/flags': writes('developer', PLAIN),
  'PUT /compat/mvp/flags/:name': writes('developer', PLAIN),
  'DELETE /compat/mvp/flags/:name': writes('admin', PLAIN),

  'GET /api/v1/flags': { access: 'viewer', keys: ['server'], dialect: V1 },
  'GET /api/v1/flags/:id': { access: 'viewer', keys: ['server'], dialect: V1 },
  'GET /api/v1/flags/:id/evaluate': { access: 'viewer', keys: ['server', 'client'], dialect: V1 },
  'POST /api/v1/flags': writes('developer', V1),
  'PUT /api/v1/flags/:id': writes('developer', V1),
  'DELETE /api/v1/flags/:id': writes('admin', V1),

  'GET /compat/edge': PUBLIC,
  'GET /compat/edge/health': PUBLIC,
  'GET /compat/edge/docs': PUBLIC,
  'GET /compat/edge/redoc': PUBLIC,
  'GET /compat/edge/openapi.json': PUBLIC,
  'GET /compat/edge/flags': looks(PLAIN),
  'GET /compat/edge/flags/:name': looks(PLAIN),
  'GET /compat/edge/flags/:name/check': asks(PLAIN),
  'GET /compat/edge/cache/stats': looks(PLAIN),
  'POST /compat/edge/flags/:name/update': writes('developer', PLAIN),
  'DELETE /compat/edge/flags/:name/cache': writes('developer', PLAIN),
};

/** Pages and files of the API's documentation, which a library lays out as it likes. All are public and read nothing. */
export const DOCUMENTATION = /^GET \/docs(\/|-yaml$|$)/;

/** What is mounted beside the routes: files that anybody may read. */
export const MOUNTED = ['/app', '/assets', '/favicon.svg', '/theme.js', '/docs'];

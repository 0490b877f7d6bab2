import type { Role } from '../../src/platform/access/role.js';

/** Who may call each route: everybody, or people with this role or a higher one. A new route needs a row here. */
export const MATRIX: Readonly<Record<string, 'public' | Role>> = {
  'GET /': 'public',
  'GET /metrics': 'public',
  'GET /health': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /openapi.json': 'public',

  'POST /auth/register': 'public',
  'POST /auth/login': 'public',
  'GET /auth/setup': 'public',
  'POST /auth/setup': 'public',
  'POST /auth/refresh': 'viewer',
  'GET /auth/me': 'viewer',
  'GET /auth/users': 'admin',
  'PUT /auth/users/:id/role': 'admin',
  'PUT /auth/users/:id/active': 'admin',

  'GET /environments': 'viewer',
  'GET /environments/:key': 'viewer',
  'POST /environments': 'admin',
  'PUT /environments/:key': 'admin',
  'DELETE /environments/:key': 'admin',

  'GET /flags': 'viewer',
  'GET /flags/:key': 'viewer',
  'GET /flags/:key/targets/:variant': 'viewer',
  'GET /flags/:key/lint': 'viewer',
  'POST /flags/:key/re-randomise': 'developer',
  'POST /flags': 'developer',
  'PUT /flags/:key': 'developer',
  'DELETE /flags/:key': 'admin',

  'GET /segments': 'viewer',
  'GET /segments/:key': 'viewer',
  'GET /segments/:key/keys': 'viewer',
  'POST /segments': 'developer',
  'PUT /segments/:key': 'developer',
  'DELETE /segments/:key': 'admin',

  'GET /evaluate/:flag_key': 'public',
  'POST /evaluate/:flag_key': 'public',
  'POST /evaluate': 'public',

  'GET /stream': 'viewer',
  'GET /ruleset': 'viewer',

  'GET /audit': 'viewer',
  'GET /audit/flag/:key': 'viewer',
  'GET /audit/verify': 'viewer',

  'GET /cache/stats': 'viewer',
  'DELETE /flags/:key/cache': 'developer',
};

/** Pages and files of the API's documentation, which a library lays out as it likes. All are public and read nothing. */
export const DOCUMENTATION = /^GET \/docs(\/|-yaml$|$)/;

/** What is mounted beside the routes: files that anybody may read. */
export const MOUNTED = ['/assets', '/docs'];

import type { Role } from '../platform/access/role.js';
import { Invalid } from '../platform/errors/errors.js';

/** The one role that was asked for, in the query or in the body. @throws Invalid for none, or for two that differ */
export function chosenRole(
  query: { newRole?: Role | undefined },
  body: { role?: Role | undefined } | undefined,
): Role {
  const role = body?.role ?? query.newRole;
  if (role === undefined)
    throw new Invalid([
      { path: 'role', message: 'is missing: give it in the body, or as new_role in the query' },
    ]);
  if (query.newRole !== undefined && query.newRole !== role) {
    throw new Invalid([{ path: 'new_role', message: 'contradicts the role in the body' }]);
  }
  return role;
}

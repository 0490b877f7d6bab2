/** What people and programs may do, from least to most. Each role may do all that the ones before it may. */
export const ROLES = ['viewer', 'developer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** True when `role` is `wanted` or stands above it. No role is never enough. */
export function isAtLeast(role: Role | undefined, wanted: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

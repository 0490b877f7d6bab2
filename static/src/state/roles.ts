import type { Role } from '../api/people.js';

export const ROLES: readonly (readonly [Role, string])[] = [
  ['viewer', 'Viewer'],
  ['developer', 'Developer'],
  ['admin', 'Admin'],
];

/** An account with the role may … */
export const ROLE_MAY: Readonly<Record<Role, string>> = {
  viewer: 'see everything, but change nothing',
  developer: 'change flags and segments where nothing is protected',
  admin: 'change everything, people included',
};

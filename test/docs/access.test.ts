/** docs/access.md says of every route who may call it, as the list says by which each route is tried for every caller. */
import { expect, it } from '@jest/globals';
import { isAtLeast, ROLES } from '../../src/platform/access/role.js';
import { MATRIX, type Row } from '../access/matrix.js';
import { pageOf } from './pages.js';

const YES = '✓';
const NO = '–';

/** The columns of the page: nobody, viewer, developer, admin, server key, client key, admin key. */
function columnsOf({ access, keys, person }: Row): string[] {
  const isOpen = access === 'public' && keys === undefined;
  const people = ROLES.map((role) => access === 'public' || (access !== 'key' && isAtLeast(role, access)));
  const byKind = (['server', 'client'] as const).map((kind) => isOpen || keys?.includes(kind) === true);
  const ofAdminKey = (): string => {
    if (isOpen || keys?.includes('admin')) return YES;
    return person || access === 'key' || access === 'public' ? NO : 'by its role';
  };
  const marks = [access === 'public', ...people, ...byKind].map((may) => (may ? YES : NO));
  return [...marks, ofAdminKey()];
}

const rows = [
  ...pageOf('docs/access.md').text.matchAll(/^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)` +\|(.*)\|$/gm),
].map(([, route = '', rest = '']) => [route, rest.split('|').map((cell) => cell.trim())] as const);

it('has every route once', () => {
  expect(rows.map(([route]) => route).sort()).toEqual(Object.keys(MATRIX).sort());
});

it.each(Object.entries(MATRIX))('says who may call %s', (route, row) => {
  expect(rows.find(([each]) => each === route)?.[1]).toEqual(columnsOf(row));
});

import type { Actor } from '../platform/access/actor.js';
import { isAtLeast } from '../platform/access/role.js';
import { ConfirmationNeeded, EnvironmentProtected, ReasonNeeded } from './environment.errors.js';

/** A place where flags have settings of their own. */
export interface Environment {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  /** Only admins change anything in it. */
  readonly isProtected: boolean;
  /** People must name what they change in it, while it is protected. */
  readonly confirmsChanges: boolean;
  /** People must say why they change anything in it, be it protected or not. */
  readonly requiresReason: boolean;
  /** Where it stands among the others, from 1. */
  readonly position: number;
  /** Counts every change of anything in it. */
  readonly revision: number;
  /** Drawn anew with each revision: tells apart states that a restored backup gave the same number. */
  readonly stamp: string;
  /** Counts the changes of the environment's own fields. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Which state of which environment. The id tells it from an earlier environment of the same key. */
export type EnvironmentRevision = Pick<Environment, 'id' | 'key' | 'revision' | 'stamp'>;

/**
 * @param what kind of thing is to be changed, in the plural
 * @throws EnvironmentProtected when only admins may change things in `environment` and `actor` is none
 */
export function requireMayChange(actor: Actor, environment: Environment, what = 'flags'): void {
  if (environment.isProtected && !isAtLeast(actor.role, 'admin'))
    throw new EnvironmentProtected(environment.key, what);
}

/** What an editor changes, and what they typed to show that they mean it. */
export interface Confirmation {
  readonly key: string;
  readonly confirm: string | undefined;
}

/**
 * Programs are not asked: nobody sits there who could read the question. A wrong name is refused wherever it is given.
 * @throws ConfirmationNeeded when a person must name what they change and has not, or has named something else
 */
export function requireConfirmed(
  actor: Actor,
  environment: Environment,
  { key, confirm }: Confirmation,
): void {
  const isAsked = environment.isProtected && environment.confirmsChanges && actor.type === 'user';
  if (confirm === undefined ? isAsked : confirm !== key) throw new ConfirmationNeeded(key, environment.key);
}

/**
 * Programs are not asked, as with `requireConfirmed`. Blanks are no reason.
 * @param environments all that the change touches
 * @throws ReasonNeeded when one of them asks people for a reason and a person gives none
 */
export function requireReason(
  actor: Actor,
  environments: readonly Environment[],
  reason: string | undefined,
): void {
  if (actor.type !== 'user' || (reason ?? '').trim() !== '') return;
  const asking = environments.filter(({ requiresReason }) => requiresReason);
  if (asking.length > 0) throw new ReasonNeeded(asking.map(({ key }) => key));
}

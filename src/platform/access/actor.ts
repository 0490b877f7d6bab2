import type { Role } from './role.js';

/**
 * Who is acting, and in which request. Passed explicitly to every service that changes something,
 * so that the audit log can say it.
 */
export interface Actor {
  readonly type: 'user' | 'api_key' | 'system' | 'anonymous';
  /** The id of the user or of the API key; `null` for the system and for nobody in particular. */
  readonly id: string | null;
  /** An e-mail address for people, a plain name for keys and the system. */
  readonly name: string;
  readonly role: Role | undefined;
  readonly requestId: string | null;
}

/** Acts when no person does: seeding and command-line tools. */
export function systemActor(name: string): Actor {
  return { type: 'system', id: null, name, role: 'admin', requestId: null };
}

export function anonymousActor(requestId: string | null): Actor {
  return { type: 'anonymous', id: null, name: 'anonymous', role: undefined, requestId };
}

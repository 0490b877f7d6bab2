import type { Role } from '../platform/access/role.js';

/** A person with an account. */
export interface User {
  readonly id: string;
  /** Lower-case. */
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly isActive: boolean;
  /** Counts what ends sessions: tokens carry it and die when it moves on. */
  readonly tokenVersion: number;
  readonly createdAt: Date;
}

import { z } from 'zod';
import {
  camelKeys,
  changeReason,
  isStorable,
  NOT_STORABLE,
  queryInteger,
  title,
} from '../../platform/http/schema.js';
import { isCommonPassword } from '../common-passwords.js';
import { roleSchema } from '../role-schema.js';

export const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .pipe(z.email('must be an e-mail address'))
  .meta({ override: { type: 'string', format: 'email', maxLength: 254 }, example: 'dana@example.com' });

const password = z
  .string()
  .min(8, 'must have at least 8 characters')
  .max(128, 'must have at most 128 characters')
  // They would all be hashed as the same replacement character.
  .refine((text) => text.isWellFormed(), 'must not contain unpaired surrogates')
  .refine((text) => !isCommonPassword(text), 'must not be one of the most common passwords')
  .meta({
    description:
      'At least 8 characters; 15 or more are better. Every character counts as typed. The most common ones are refused.',
    example: 'correct horse battery',
  });

export const EXAMPLE_PERSON = { email: 'dana@example.com', password: 'correct horse battery' };

export const person = { email, password, name: title(100).meta({ example: 'Dana' }) };

export const registerRequest = z
  .strictObject(person)
  .meta({ id: 'RegisterRequest', example: { ...EXAMPLE_PERSON, name: 'Dana' } });

export const setupRequest = z
  .strictObject({
    ...person,
    token: z
      .string()
      .max(200)
      .meta({ description: 'The one-time token that the service printed when it started.' }),
  })
  .meta({ id: 'SetupRequest', example: { ...EXAMPLE_PERSON, name: 'Dana', token: 'Zk3v9Q0mN1sT7xYc' } });

export const loginRequest = z
  .strictObject({
    email: z
      .string()
      .trim()
      .toLowerCase()
      .min(1)
      .max(254)
      .refine(isStorable, NOT_STORABLE)
      .meta({ example: 'dana@example.com' }),
    password: z.string().min(1).max(1000).meta({ example: 'correct horse battery' }),
  })
  .meta({ id: 'LoginRequest', example: EXAMPLE_PERSON });

export const changeRoleRequest = z
  .strictObject({ role: roleSchema.optional(), reason: changeReason })
  .meta({ id: 'ChangeRoleRequest', example: { role: 'developer' } })
  .optional();

export const changeRoleQuery = z
  .strictObject({
    new_role: roleSchema.optional().meta({ description: 'The role, for clients that send no body.' }),
  })
  .transform(camelKeys);

export const setActiveRequest = z
  .strictObject({ is_active: z.boolean(), reason: changeReason })
  .meta({ id: 'SetActiveRequest', example: { is_active: false, reason: 'Left the company' } })
  .transform(camelKeys);

export const listUsersQuery = z.strictObject({
  skip: queryInteger(0, 1_000_000_000, 0).meta({ description: 'How many to leave out from the beginning.' }),
  limit: queryInteger(1, 1000, 100).meta({ description: 'How many in one answer.' }),
});

export type RegisterRequest = z.output<typeof registerRequest>;
export type SetupRequest = z.output<typeof setupRequest>;
export type LoginRequest = z.output<typeof loginRequest>;
export type ChangeRoleRequest = z.output<typeof changeRoleRequest>;
export type ChangeRoleQuery = z.output<typeof changeRoleQuery>;
export type SetActiveRequest = z.output<typeof setActiveRequest>;
export type ListUsersQuery = z.output<typeof listUsersQuery>;

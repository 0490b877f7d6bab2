import { z } from 'zod';
import { ROLES } from '../platform/access/role.js';

export const roleSchema = z
  .enum(ROLES)
  .meta({ id: 'Role', description: 'Each may do all that the ones before it may.', example: 'developer' });

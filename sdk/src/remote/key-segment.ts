import { ValidationError } from '../errors.js';

/**
 * A flag key as one segment of a path.
 * @throws ValidationError where it cannot be one, and another address would be asked
 */
export function keySegment(key: string): string {
  const given: unknown = key;
  const isSegment = typeof given === 'string' && !['', '.', '..'].includes(given) && given.isWellFormed();
  if (isSegment) return encodeURIComponent(key);
  const message = 'must be the key of a flag';
  throw new ValidationError(`The flag key ${message}`, [{ path: 'key', message }]);
}

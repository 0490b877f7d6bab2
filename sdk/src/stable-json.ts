import { ValidationError } from './errors.js';
import { reasonOf } from './http.js';
import type { Context } from './types.js';

/** JSON that is the same for the same data, in whatever order its properties came. What JSON leaves out is left out. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    const object = item as Readonly<Record<string, unknown>>;
    // Not by assignment, which would make a property called `__proto__` something else.
    return Object.fromEntries(
      Object.keys(object)
        .sort()
        .map((name) => [name, object[name]]),
    );
  });
}

/**
 * The same, of who is asking.
 * @throws ValidationError when it is not plain JSON, and so cannot be sent
 */
export function stableContext(context: Context): string {
  try {
    return stableJson(context);
  } catch (error) {
    const message = 'must be plain JSON';
    throw new ValidationError(`The context ${message}: ${reasonOf(error)}`, [{ path: 'context', message }]);
  }
}

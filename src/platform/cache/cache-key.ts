declare const isCacheKey: unique symbol;

/** A key that `cacheKey` made: unambiguous, whatever its parts contain. */
export type CacheKey = string & { readonly [isCacheKey]: true };

/**
 * Joins parts into a key, so that two different lists of parts never give the same key, and the key of a list is a
 * prefix of exactly the keys of the lists that begin with it: `deleteByPrefix(cacheKey('flags', 'prod'))` removes
 * `cacheKey('flags', 'prod', 7)` and leaves `cacheKey('flags', 'production', 7)`.
 *
 * A string is written as JSON: the closing quote delimits it, control characters are escaped, and so are lone
 * surrogates, which would otherwise all become the same three bytes in UTF-8.
 * @param parts  may be user input; `1` and `'1'` are different parts
 */
export function cacheKey(...parts: readonly (string | number)[]): CacheKey {
  return parts
    .map((part) => `${typeof part === 'string' ? JSON.stringify(part) : part},`)
    .join('') as CacheKey;
}

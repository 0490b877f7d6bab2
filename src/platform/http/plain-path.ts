const MAX_KEY = 1024;

/** A fragment, and what Express reads in a way of its own. */
const UNUSUAL = /[^\x21\x22\x24-\x7e]/;

/** Whether the router reads an address just as it stands. */
export const isPlainUrl = (url: string): boolean => !UNUSUAL.test(url);

/** The last part of a plain path, decoded as the router would; `undefined` where that is not plain. */
export function lastPart(segment: string): string | undefined {
  if (segment === '' || segment.length > MAX_KEY || segment.includes('/')) return undefined;
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

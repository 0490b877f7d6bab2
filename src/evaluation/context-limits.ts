/** How large a context may be, by whichever protocol it comes. */
export const MAX_ATTRIBUTES = 200;
/** Of an attribute's name, in characters. */
export const MAX_NAME = 200;
/** Of the unit, in characters. */
export const MAX_UNIT = 1024;
const MAX_DEPTH = 8;

/** What is too much of a context, in words. */
export function sizeFlaws(context: Readonly<Record<string, unknown>>): string[] {
  const flaws: string[] = [];
  if (Object.keys(context).length > MAX_ATTRIBUTES)
    flaws.push(`must have at most ${MAX_ATTRIBUTES} attributes`);
  if (isDeeperThan(context, MAX_DEPTH)) flaws.push(`must not be nested deeper than ${MAX_DEPTH} levels`);
  return flaws;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeperThan(item, levels - 1));
}

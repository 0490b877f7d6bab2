/** What must be there before something else can be. */
interface Needing {
  readonly key: string;
}

/**
 * Puts things after those that they need. What is in a circle, and what needs that, comes last: whoever makes it says what is wrong.
 * @param needs the keys of what it needs; those that are not among the things are somebody else's matter
 */
export function inOrder<Thing extends Needing>(
  things: readonly Thing[],
  needs: (thing: Thing) => readonly string[],
): Thing[] {
  const waiting = new Map<string, Thing[]>();
  for (const thing of things) waiting.set(thing.key, [...(waiting.get(thing.key) ?? []), thing]);
  const ordered: Thing[] = [];
  for (let before = -1; ordered.length !== before;) {
    before = ordered.length;
    for (const [key, ready] of [...waiting]) {
      if (ready.some((thing) => needs(thing).some((needed) => needed !== key && waiting.has(needed))))
        continue;
      ordered.push(...ready);
      waiting.delete(key);
    }
  }
  return [...ordered, ...[...waiting.values()].flat()];
}

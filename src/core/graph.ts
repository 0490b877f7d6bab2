/** Which names each name uses. Names that are used but have no entry are unknown, and end a chain. */
export type Uses = ReadonlyMap<string, readonly string[]>;

/**
 * How long the longest chain of uses below each name is: 0 for one that uses none. In the order in which each comes after all it
 * uses; names that use themselves, at whatever remove, are left out. Neither recursive nor slow, whatever the data.
 */
export function chainLengths(uses: Uses): Map<string, number> {
  const users = new Map<string, string[]>();
  const waiting = new Map<string, number>();
  const lengths = new Map<string, number>();
  const longest = new Map<string, number>();
  const ready: string[] = [];
  for (const [name, used] of uses) {
    let count = 0;
    for (const each of new Set(used)) {
      if (!uses.has(each)) {
        longest.set(name, Math.max(longest.get(name) ?? 0, 1));
        continue;
      }
      count += 1;
      const list = users.get(each);
      if (list) list.push(name);
      else users.set(each, [name]);
    }
    if (count === 0) ready.push(name);
    else waiting.set(name, count);
  }
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    const length = longest.get(name) ?? 0;
    lengths.set(name, length);
    for (const user of users.get(name) ?? []) {
      longest.set(user, Math.max(longest.get(user) ?? 0, length + 1));
      const left = (waiting.get(user) ?? 0) - 1;
      waiting.set(user, left);
      if (left === 0) ready.push(user);
    }
  }
  return lengths;
}

/** The way from a name back to itself, both ends included; `undefined` when there is none. */
export function cycleFrom(start: string, uses: Uses): string[] | undefined {
  const reachedFrom = new Map<string, string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const each of uses.get(name) ?? []) {
      if (each === start) return [...wayTo(name, reachedFrom, start), start];
      if (reachedFrom.has(each)) continue;
      reachedFrom.set(each, name);
      open.push(each);
    }
  }
  return undefined;
}

function wayTo(end: string, reachedFrom: ReadonlyMap<string, string>, start: string): string[] {
  const way = [end];
  for (let name = end; name !== start; way.push(name)) name = reachedFrom.get(name) as string;
  return way.reverse();
}

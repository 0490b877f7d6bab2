import { Counter, type Registry } from 'prom-client';

/** What is counted under one set of labels. Whoever counts often keeps it, and counts without looking it up. */
export interface Count {
  count: number;
}

/** How much was counted under one set of labels. */
export interface Counted {
  /** One for each label, in their order. */
  readonly values: readonly string[];
  readonly count: number;
}

interface Leaf extends Count {
  readonly values: readonly string[];
  /** As much of it as `takeNew` has told. */
  taken: number;
}

/**
 * A counter for what happens in every answer. prom-client builds a text of all labels for each count; this looks one of
 * them up and goes through the few that share it, and hands over what it has when it is read.
 */
export class Tally<Label extends string> {
  private readonly byOne = new Map<string, Leaf[]>();
  private leaves: Leaf[] = [];
  private readonly at: number;

  /** @param by the label with the most values */
  constructor(
    registry: Registry,
    { name, help, labels, by }: { name: string; help: string; labels: readonly Label[]; by: Label },
  ) {
    this.at = labels.indexOf(by);
    const all = (): readonly Leaf[] => this.leaves;
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const { values, count } of all())
          this.inc(Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])) as never, count);
      },
    });
  }

  /** @param values one for each label, in their order */
  of(values: readonly string[]): Count {
    const one = values[this.at] as string;
    let same = this.byOne.get(one);
    if (!same) this.byOne.set(one, (same = []));
    for (const leaf of same) if (isSame(leaf.values, values)) return leaf;
    const first: Leaf = { values, count: 0, taken: 0 };
    same.push(first);
    this.leaves.push(first);
    return first;
  }

  /** What was counted since this was asked last. For one reader: what it was told is not told again. */
  takeNew(): Counted[] {
    const news: Counted[] = [];
    for (const leaf of this.leaves) {
      if (leaf.count === leaf.taken) continue;
      news.push({ values: leaf.values, count: leaf.count - leaf.taken });
      leaf.taken = leaf.count;
    }
    return news;
  }

  /** Forgets what is counted under other labels than these. Nobody may count on with a count of theirs that was kept. */
  keepOnly(isKept: (values: readonly string[]) => boolean): void {
    const kept = this.leaves.filter(({ values }) => isKept(values));
    if (kept.length === this.leaves.length) return;
    this.leaves = kept;
    this.byOne.clear();
    for (const leaf of kept) {
      const one = leaf.values[this.at] as string;
      const same = this.byOne.get(one);
      if (same) same.push(leaf);
      else this.byOne.set(one, [leaf]);
    }
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false;
  return true;
}

import { Counter, type Registry } from 'prom-client';

type Branch = Map<string, Branch | Leaf>;

interface Leaf {
  readonly values: readonly string[];
  count: number;
}

/**
 * A counter for what happens in every answer. prom-client builds a text of all labels for each count; this counts in
 * nested maps, and hands over what it has when it is read.
 */
export class Tally<Label extends string> {
  private readonly root: Branch = new Map();
  private readonly leaves: Leaf[] = [];

  constructor(
    registry: Registry,
    { name, help, labels }: { name: string; help: string; labels: readonly Label[] },
  ) {
    const leaves = this.leaves;
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const { values, count } of leaves)
          this.inc(Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])) as never, count);
      },
    });
  }

  /** @param values one for each label, in their order */
  add(...values: string[]): void {
    let branch = this.root;
    const last = values.length - 1;
    for (let at = 0; at < last; at += 1) {
      let next = branch.get(values[at] as string);
      if (next === undefined) branch.set(values[at] as string, (next = new Map<string, Branch | Leaf>()));
      branch = next as Branch;
    }
    const leaf = branch.get(values[last] as string) as Leaf | undefined;
    if (leaf) {
      leaf.count += 1;
      return;
    }
    const first: Leaf = { values, count: 1 };
    branch.set(values[last] as string, first);
    this.leaves.push(first);
  }
}

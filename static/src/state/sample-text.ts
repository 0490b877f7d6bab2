import { isGroup, OPERATORS, readGroup, type Node } from './conditions.js';

/** Who might ask: attributes, with `user_id` among them. */
export type Sample = Readonly<Record<string, unknown>>;

export const MOST_SAMPLES = 20;

export const isSample = (value: unknown): value is Sample =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads one JSON object a line. @returns the samples, or which line is none */
export function readSamples(text: string): { samples: Sample[] } | { problem: string } {
  const found: Sample[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const value = JSON.parse(line) as unknown;
      if (!isSample(value)) throw new Error('not an object');
      found.push(value);
    } catch {
      return { problem: `Line ${index + 1} is no JSON object such as {"user_id": "alice", "plan": "pro"}.` };
    }
  }
  return found.length > MOST_SAMPLES
    ? { problem: `At most ${MOST_SAMPLES}, please; these are ${found.length}.` }
    : { samples: found };
}

export const writeSamples = (list: readonly Sample[]): string =>
  list.map((sample) => JSON.stringify(sample)).join('\n');

/** Whether every condition says what it is about; one that is still being written is not asked about. */
export function isWritten(node: Node): boolean {
  if (isGroup(node)) return readGroup(node).items.every(isWritten);
  const { values } = OPERATORS[node.operator];
  return (
    (node.attribute !== '' || values === 'segments') &&
    (values === 'nothing' || node.values.some((value) => value !== ''))
  );
}

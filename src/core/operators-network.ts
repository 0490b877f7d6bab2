import { type Address, noAddress, readAddress } from './ip.js';
import { flawsOf, type Operator } from './operator.js';

const NEEDS_ADDRESS = 'needs an IP address';
const NEEDS_CIDR = 'must be an IP address or a CIDR such as 10.0.0.0/8';

// The address that is asked about, read anew for each question.
const asked = noAddress();

/** All addresses from `first` to `last`. */
interface Block {
  readonly first: Address;
  readonly last: Address;
}

/** Whether an IP address is in one of the networks; v4 and v6 never match each other. */
export const inCidr: Operator = {
  folds: false,
  check: ({ values }) =>
    flawsOf(values, (value) => (typeof value === 'string' && readCidr(value) ? undefined : NEEDS_CIDR)),
  compile({ values }) {
    const blocks = merged(values.flatMap((value) => readCidr(value as string) ?? []));
    return (actual) =>
      typeof actual === 'string' && readAddress(actual, asked) ? isInOne(asked, blocks) : NEEDS_ADDRESS;
  },
};

function readCidr(text: string): Block | undefined {
  const slash = text.indexOf('/');
  const first = noAddress();
  if (!readAddress(slash < 0 ? text : text.slice(0, slash), first)) return undefined;
  const isMapped = !first.isV6 && text.includes(':');
  const bits = first.isV6 || isMapped ? 128 : 32;
  const length = slash < 0 ? String(bits) : text.slice(slash + 1);
  // A mapped network that reaches beyond the v4 addresses is neither the one nor the other.
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits || (isMapped && Number(length) < 96)) {
    return undefined;
  }
  const free = bits - Number(length);
  const last: Address = { isV6: first.isV6, words: first.words.slice() };
  for (let word = 0; word < 4; word += 1) {
    const freeHere = Math.min(32, Math.max(0, free - (3 - word) * 32));
    const mask = 2 ** freeHere - 1;
    last.words[word] = ((first.words[word] as number) | mask) >>> 0;
    first.words[word] = ((first.words[word] as number) & ~mask) >>> 0;
  }
  return { first, last };
}

/** Sorted, and without overlap. */
function merged(blocks: readonly Block[]): Block[] {
  const result: Block[] = [];
  for (const block of [...blocks].sort(byStart)) {
    const previous = result.at(-1);
    // Networks are nested or apart, never across each other, and of two that start alike the larger comes first.
    if (previous === undefined || compare(block.first, previous.last) > 0) result.push(block);
  }
  return result;
}

function byStart(a: Block, b: Block): number {
  return compare(a.first, b.first) || compare(b.last, a.last);
}

function isInOne(address: Address, blocks: readonly Block[]): boolean {
  let low = 0;
  let high = blocks.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const { first, last } = blocks[middle] as Block;
    if (compare(address, first) < 0) high = middle - 1;
    else if (compare(address, last) > 0) low = middle + 1;
    else return true;
  }
  return false;
}

function compare(one: Address, other: Address): number {
  if (one.isV6 !== other.isV6) return one.isV6 ? 1 : -1;
  for (let word = 0; word < 4; word += 1) {
    const difference = (one.words[word] as number) - (other.words[word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

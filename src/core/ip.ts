/** An address as its family and 128 bits in four words; mutable, so that evaluating can read one without allocating. */
export interface Address {
  isV6: boolean;
  readonly words: Uint32Array;
}

export function noAddress(): Address {
  return { isV6: false, words: new Uint32Array(4) };
}

/**
 * Reads an address, v4 (four decimal numbers) or v6 (RFC 4291, without a zone). A v4 address in v6 clothes (`::ffff:192.0.2.1`) is a
 * v4 address. Allocates nothing.
 * @returns whether it is one; when not, `into` holds nothing of use
 */
export function readAddress(text: string, into: Address): boolean {
  into.words.fill(0);
  into.isV6 = text.includes(':');
  if (!into.isV6) return readV4(text, 0, into);
  if (!readV6(text, into)) return false;
  const [a, b, c] = [into.words[0], into.words[1], into.words[2]];
  if (a === 0 && b === 0 && c === 0xffff) {
    into.words[2] = 0;
    into.isV6 = false;
  }
  return true;
}

/** Four numbers without leading zeros, which some read as octal, from `at` to the end, into the last word. */
function readV4(text: string, at: number, into: Address): boolean {
  let word = 0;
  for (let part = 0; part < 4; part += 1) {
    const start = at;
    let value = 0;
    for (; at - start < 3 && isDigit(text.charCodeAt(at)); at += 1) {
      value = value * 10 + text.charCodeAt(at) - 48;
    }
    const length = at - start;
    if (length === 0 || value > 255 || (length > 1 && text.charCodeAt(start) === 48)) return false;
    word = word * 256 + value;
    if (part < 3) {
      if (text[at] !== '.') return false;
      at += 1;
    }
  }
  into.words[3] = word;
  return at === text.length;
}

const groups = new Uint16Array(8);

function readV6(text: string, into: Address): boolean {
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return false;
    const colon = text.indexOf(':', at);
    if (colon < 0 && text.includes('.', at)) {
      if (count > 6 || !readV4(text, at, into)) return false;
      const word = into.words[3] as number;
      groups[count] = word >>> 16;
      groups[count + 1] = word & 0xffff;
      count += 2;
      break;
    }
    const end = colon < 0 ? text.length : colon;
    const value = hex(text, at, end);
    if (value < 0) return false;
    groups[count] = value;
    count += 1;
    if (colon < 0) break;
    at = colon + 1;
    if (text[at] === ':') {
      if (gap >= 0) return false;
      gap = count;
      at += 1;
    } else if (at === text.length) return false;
  }
  return spread(count, gap, into);
}

/** The groups into words, with zeros for the gap. */
function spread(count: number, gap: number, into: Address): boolean {
  if (gap < 0 ? count !== 8 : count > 7) return false;
  into.words.fill(0);
  for (let index = 0; index < count; index += 1) {
    const place = gap < 0 || index < gap ? index : index + 8 - count;
    const word = place >> 1;
    const shifted = (groups[index] as number) * (place % 2 === 0 ? 0x10000 : 1);
    into.words[word] = (into.words[word] as number) + shifted;
  }
  return true;
}

/** One to four hexadecimal digits; −1 when they are none. */
function hex(text: string, from: number, to: number): number {
  if (to === from || to - from > 4) return -1;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at) | 0x20;
    const digit = isDigit(text.charCodeAt(at)) ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

import { createHash } from 'node:crypto';
import {
  decideAll,
  flatten,
  type CompiledSnapshot,
  type Context,
  type Decision,
  type FlatFlags,
} from '../core/index.js';
import type { Count } from '../platform/metrics/tally.js';
import type { FlagTexts } from './ofrep-text.js';
import type { SendBuffer, SendBuffers } from './send-buffers.js';

const BEFORE = Buffer.from('{"flags":[');
/** Bytes in front of an answer, for the head that goes with it. What follows BEFORE stands at a whole word. */
export const HEAD_ROOM = 2 * 1024 - BEFORE.length;
/** Bytes that are copied at once, as a number. No UTF-8 is a NaN, which alone might not come out as it went in. */
const WORD = 8;

/** What is noted of a text: the word it begins at, its length in bytes (0: not written yet), and its digest in two halves. */
const NOTES = 4;
const ROOM = 64 * 1024;

/**
 * The texts of all answers that lists about one snapshot have, one behind the other, each with a comma and filled up to a whole word with
 * spaces: that way a list is put together word by word (bench/ofrep-bulk).
 */
export class ListTexts {
  private readonly flags: FlatFlags;
  private words = new Float64Array(ROOM / WORD);
  private end = 0;
  /** By the numbers of decisions. */
  private notes = new Int32Array(0);
  private readonly counters: (Count | undefined)[] = [];

  /** @param only the keys of the flags that may be told */
  constructor(
    private readonly compiled: CompiledSnapshot,
    only: ReadonlySet<string> | undefined,
    private readonly texts: FlagTexts,
  ) {
    this.flags = flatten(compiled, only);
  }

  /**
   * Decides all flags, and counts the answers.
   * @returns good until the next call
   */
  ask(context: Context): Int32Array {
    const numbers = decideAll(this.flags, context, Date.now);
    // Flags with targeting may have answered what they never did before.
    this.notes = withRoom(this.notes, this.flags.decisions.length * NOTES);
    const { counters } = this;
    for (let at = 0; at < numbers.length; at += 1) {
      const number = numbers[at] as number;
      if (this.notes[number * NOTES + 1] === 0) this.write(number);
      (counters[number] as Count).count += 1;
    }
    return numbers;
  }

  /**
   * Of 64 bits, from those of the texts in their order and of what follows them.
   * @param numbers of `ask`
   * @param seed 64 bits in two halves
   */
  digest(numbers: Int32Array, [one, two]: readonly [number, number]): string {
    const { notes } = this;
    let a = one;
    let b = two;
    for (let at = 0; at < numbers.length; at += 1) {
      const note = (numbers[at] as number) * NOTES;
      a = Math.imul(a ^ (notes[note + 2] as number), 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(b ^ (notes[note + 3] as number), 0x85ebca6b);
      b ^= b >>> 13;
    }
    return `${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
  }

  /**
   * Puts an answer about many flags together.
   * @param numbers of `ask`
   * @param after what follows the list of flags: begins with `]`
   * @returns the JSON, HEAD_ROOM bytes behind the beginning of a buffer of `buffers` to be given back when it has gone
   */
  join(
    numbers: Int32Array,
    after: Buffer,
    buffers: SendBuffers,
  ): { readonly body: Buffer; readonly buffer: SendBuffer } {
    const { notes, words } = this;
    const begin = HEAD_ROOM + BEFORE.length;
    let size = begin;
    for (let at = 0; at < numbers.length; at += 1)
      size += wholeWords(notes[(numbers[at] as number) * NOTES + 1] as number) * WORD;
    const buffer = buffers.take(size + after.length);
    buffer.bytes.set(BEFORE, HEAD_ROOM);
    const to = buffer.words;
    let free = begin / WORD;
    let end = begin;
    for (let at = 0; at < numbers.length; at += 1) {
      const note = (numbers[at] as number) * NOTES;
      const bytes = notes[note + 1] as number;
      end = free * WORD + bytes;
      const from = notes[note] as number;
      const until = from + wholeWords(bytes);
      for (let word = from; word < until; word += 1) to[free++] = words[word] as number;
    }
    // The last one has a comma behind it too.
    if (numbers.length > 0) end -= 1;
    buffer.bytes.set(after, end);
    return { body: buffer.bytes.subarray(HEAD_ROOM, end + after.length), buffer };
  }

  private write(number: number): void {
    const { json, counter } = this.texts.written(this.compiled, this.flags.decisions[number] as Decision);
    const text = Buffer.from(`${json},`);
    const size = wholeWords(text.length);
    this.words = withRoom(this.words, this.end + size);
    new Uint8Array(this.words.buffer, this.end * WORD, size * WORD).fill(SPACE).set(text);
    const hash = createHash('sha256').update(text).digest();
    this.notes.set([this.end, text.length, hash.readInt32LE(0), hash.readInt32LE(4)], number * NOTES);
    this.counters[number] = counter;
    this.end += size;
  }
}

const SPACE = 0x20;

const wholeWords = (bytes: number): number => (bytes + WORD - 1) >> 3;

/** @returns it, or what it holds with twice the room */
function withRoom<T extends Int32Array | Float64Array>(list: T, length: number): T {
  if (list.length >= length) return list;
  const larger = new (list.constructor as new (length: number) => T)(Math.max(length, list.length * 2));
  larger.set(list);
  return larger;
}

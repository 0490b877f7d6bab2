/** What is kept to be used again, in bytes. */
const MOST_KEPT = 8 * 1024 * 1024;
const SMALLEST = 4 * 1024;

/** A buffer, and the same bytes in words of eight. */
export interface SendBuffer {
  readonly bytes: Buffer;
  readonly words: Float64Array;
}

/**
 * Buffers for large answers, used again once an answer has gone: to fill one takes less time than to get the memory for it.
 * One that is never given back is forgotten like any other.
 */
export class SendBuffers {
  private readonly free = new Map<number, SendBuffer[]>();
  private kept = 0;

  /** @returns at least `bytes` long, with anything in it */
  take(bytes: number): SendBuffer {
    const size = sizeFor(bytes);
    const buffer = this.free.get(size)?.pop();
    if (!buffer) return made(size);
    this.kept -= size;
    return buffer;
  }

  /** @param buffer from `take`, and in nobody's hands any more */
  give(buffer: SendBuffer): void {
    const size = buffer.bytes.length;
    if (this.kept + size > MOST_KEPT) return;
    this.kept += size;
    const same = this.free.get(size);
    if (same) same.push(buffer);
    else this.free.set(size, [buffer]);
  }
}

function made(size: number): SendBuffer {
  // One of its own, and so at the beginning of its memory.
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, words: new Float64Array(bytes.buffer, 0, size >> 3) };
}

/** The next power of two. */
const sizeFor = (bytes: number): number => (bytes <= SMALLEST ? SMALLEST : 2 ** (32 - Math.clz32(bytes - 1)));

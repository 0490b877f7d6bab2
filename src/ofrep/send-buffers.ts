/** What is kept to be used again, in bytes. */
const MOST_KEPT = 8 * 1024 * 1024;
const SMALLEST = 4 * 1024;

/**
 * Buffers for large answers, used again once an answer has gone: to fill one takes less time than to get the memory for it.
 * One that is never given back is forgotten like any other.
 */
export class SendBuffers {
  private readonly free = new Map<number, Buffer[]>();
  private kept = 0;

  /** @returns at least `bytes` long, with anything in it */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes);
    const buffer = this.free.get(size)?.pop();
    if (!buffer) return Buffer.allocUnsafeSlow(size);
    this.kept -= size;
    return buffer;
  }

  /** @param buffer from `take`, and in nobody's hands any more */
  give(buffer: Buffer): void {
    if (this.kept + buffer.length > MOST_KEPT) return;
    this.kept += buffer.length;
    const same = this.free.get(buffer.length);
    if (same) same.push(buffer);
    else this.free.set(buffer.length, [buffer]);
  }
}

/** The next power of two. */
const sizeFor = (bytes: number): number => (bytes <= SMALLEST ? SMALLEST : 2 ** (32 - Math.clz32(bytes - 1)));

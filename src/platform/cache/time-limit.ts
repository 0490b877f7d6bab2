/** The awaited operation gave no answer in time. It may still happen. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';

  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`);
  }
}

/**
 * The outcome of an operation, or a `TimedOut` error when it takes longer than `limitMs`.
 * What the operation does after that is ignored, its failure included.
 */
export function within<T>(limitMs: number, operation: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimedOut(limitMs)), limitMs);
    operation.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

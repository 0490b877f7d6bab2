/** How often, and over how long in milliseconds, an earlier state has to be met before it is believed. */
const SIGHTS = 3;
const FOR_MS = 30_000;

/**
 * A state of a lower revision that the service answers with. Mostly it is of an instance that is behind, and nobody is taken back to
 * it. Only a database that was put back from a backup goes on answering it, and nothing else.
 */
export class EarlierState {
  private id: string | undefined;
  private since = 0;
  private sights = 0;

  /** @param now in milliseconds, of a clock that nobody sets */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** It was met. @returns whether it has been the only one for long enough to be believed */
  isToBeTaken(id: string): boolean {
    if (this.id !== id) {
      this.id = id;
      this.since = this.now();
      this.sights = 0;
    }
    this.sights += 1;
    return this.sights >= SIGHTS && this.now() - this.since >= FOR_MS;
  }

  /** Something speaks against it. */
  forget(): void {
    this.id = undefined;
  }
}

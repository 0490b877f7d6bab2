/** What all instances together have counted, as of a moment ago. */
export interface Total {
  readonly total: number;
  /** Until all begin anew. */
  readonly msLeft: number;
}

/** Adds what was taken here to what all have taken. `undefined` when nobody answers, `unsent` when nobody was asked. */
export type Report = (taken: number) => Promise<Total | 'unsent' | undefined>;

/** Reports of one caller are not closer together than this. */
const REPORT_EVERY_MS = 25;

/**
 * Counts one caller for one window of time: at once here, and a moment later over all instances. One report is under way
 * at a time and takes along whatever has come together, so a busy caller costs Redis no more than a slow one.
 */
export class SharedCount {
  private endsAt: number;
  /** Of all instances, as last heard; this one's part of it included. */
  private heard = 0;
  /** Taken here, and told to nobody. */
  private untold = 0;
  /** Told, and not in `heard`: the answer is under way, or was lost. Whether it counts there nobody knows, so it is not told again. */
  private unheard = 0;
  /** Taken here, whatever others say: a Redis that begins anew forgets it. */
  private own = 0;
  private isReporting = false;

  constructor(
    windowMs: number,
    private readonly report: Report | undefined,
  ) {
    this.endsAt = performance.now() + windowMs;
  }

  /** How many were taken, as far as is known here. */
  get known(): number {
    return Math.max(this.own, this.heard + this.unheard + this.untold);
  }

  get msLeft(): number {
    return this.endsAt - performance.now();
  }

  /** @returns whether there was one left; only then it is counted */
  take(limit: number): boolean {
    if (this.known >= limit) return false;
    this.own += 1;
    this.untold += 1;
    if (this.report && !this.isReporting) void this.tell(this.report);
    return true;
  }

  private async tell(report: Report): Promise<void> {
    this.isReporting = true;
    try {
      while (this.untold > 0 && this.msLeft > 0) {
        const told = this.untold;
        this.untold = 0;
        this.unheard += told;
        const answer = await report(told);
        if (answer === 'unsent') {
          this.unheard -= told;
          this.untold += told;
          return;
        }
        // It stays in our own count; what comes next is told again.
        if (!answer) return;
        this.unheard = 0;
        this.heard = answer.total;
        this.endsAt = Math.min(this.endsAt, performance.now() + Math.max(1, answer.msLeft));
        if (this.untold > 0) await pause(REPORT_EVERY_MS);
      }
    } finally {
      this.isReporting = false;
    }
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

import type { Answers } from '../evaluation/evaluation.metrics.js';

/** Answers that were counted within one minute. */
export interface DatedAnswers extends Answers {
  /** When the minute began, in milliseconds since 1970. */
  readonly minuteAt: number;
}

interface Minute {
  readonly at: number;
  readonly answers: Map<string, Answers>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;
const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;

/**
 * What was counted and is not written yet, by minutes. Nothing of it is ever dropped: when there is too much, minutes are
 * laid together, the oldest of one hour first, so that what is lost is only which minute it was. It is bounded by the number
 * of flags and variants, however long nothing can be written.
 */
export class PendingUsage {
  /** Oldest first. */
  private minutes: Minute[] = [];

  /** @param most how many counts may be kept apart by their minutes */
  constructor(private readonly most = 100_000) {}

  /** @param at when they were counted, in milliseconds since 1970 */
  add(at: number, answers: readonly Answers[]): void {
    if (answers.length === 0) return;
    const minute = this.minute(minuteOf(at));
    for (const each of answers) addTo(minute, each);
    this.limit();
  }

  /** Takes the oldest away. */
  take(limit: number): DatedAnswers[] {
    const taken: DatedAnswers[] = [];
    for (const { at, answers } of this.minutes)
      for (const [key, each] of answers) {
        if (taken.length === limit) break;
        answers.delete(key);
        taken.push({ ...each, minuteAt: at });
      }
    this.minutes = this.minutes.filter(({ answers }) => answers.size > 0);
    return taken;
  }

  /** Puts back what was taken and could not be written. */
  giveBack(taken: readonly DatedAnswers[]): void {
    for (const { minuteAt, ...each } of taken) addTo(this.minute(minuteAt), each);
    this.limit();
  }

  /** How many counts are kept. */
  get size(): number {
    return this.minutes.reduce((sum, { answers }) => sum + answers.size, 0);
  }

  private minute(at: number): Minute {
    const known = this.minutes.find((each) => each.at === at);
    if (known) return known;
    const made = { at, answers: new Map<string, Answers>() };
    this.minutes.push(made);
    this.minutes.sort((a, b) => a.at - b.at);
    return made;
  }

  private limit(): void {
    while (this.minutes.length > 1 && this.size > this.most) {
      const inOneHour = this.minutes.findIndex(
        ({ at }, index) => index > 0 && hourOf(at) === hourOf(this.minutes[index - 1]?.at ?? 0),
      );
      const [later] = this.minutes.splice(Math.max(1, inOneHour), 1);
      const earlier = this.minutes[Math.max(1, inOneHour) - 1];
      if (later && earlier) for (const each of later.answers.values()) addTo(earlier, each);
    }
  }
}

function addTo({ answers }: Minute, each: Answers): void {
  const key = [each.environmentKey, each.flagKey, each.variant ?? ''].join('\n');
  const count = (answers.get(key)?.count ?? 0) + each.count;
  answers.set(key, { ...each, count });
}

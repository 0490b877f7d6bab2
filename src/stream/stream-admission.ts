import { StreamsFull, TooManyStreams } from './stream.errors.js';

export interface AdmissionLimits {
  readonly streams: number;
  readonly perCaller: number;
  readonly rulesetsSending: number;
}

/** Counts who is in, and refuses whoever would be too many: a crowd that comes back all at once must not take the service down. */
export class StreamAdmission {
  private open = 0;
  private sending = 0;
  private readonly ofCaller = new Map<string, number>();

  constructor(private readonly limits: AdmissionLimits) {}

  /** @returns gives the place back @throws StreamsFull, TooManyStreams */
  enter(caller: string): () => void {
    if (this.open >= this.limits.streams) throw new StreamsFull();
    const own = this.ofCaller.get(caller) ?? 0;
    if (own >= this.limits.perCaller) throw new TooManyStreams(this.limits.perCaller);
    this.open += 1;
    this.ofCaller.set(caller, own + 1);
    return once(() => {
      this.open -= 1;
      const left = (this.ofCaller.get(caller) ?? 0) - 1;
      if (left > 0) this.ofCaller.set(caller, left);
      else this.ofCaller.delete(caller);
    });
  }

  /** For the time that a whole ruleset takes to be sent. @returns says that it is over @throws StreamsFull */
  sendRuleset(): () => void {
    if (this.sending >= this.limits.rulesetsSending) throw new StreamsFull();
    this.sending += 1;
    return once(() => (this.sending -= 1));
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}

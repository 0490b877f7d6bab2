import { StreamsFull, TooManyStreams } from './stream.errors.js';
import type { StreamCaller } from './stream-access.js';

export interface AdmissionLimits {
  readonly streams: number;
  /** For one caller from one network. */
  readonly perCaller: number;
  readonly rulesetsSending: number;
}

/*
 * A client key is in every page that uses it, so anybody can open streams with one: together they may not take the places of
 * servers and people, one key not those of all others, and one network not those of all who use the key.
 */
const SHARE_OF_CLIENTS = 0.8;
const SHARE_OF_CLIENT_KEY = 0.5;
const SHARE_OF_CLIENT = 0.2;

/** Counts who is in, and refuses whoever would be too many: a crowd that comes back all at once must not take the service down. */
export class StreamAdmission {
  private sending = 0;
  /** How many are in, by whom they count for. */
  private readonly open = new Map<string, number>();

  constructor(private readonly limits: AdmissionLimits) {}

  /** @returns gives the place back @throws StreamsFull, TooManyStreams */
  enter({ id, isClient }: Pick<StreamCaller, 'id' | 'isClient'>, network: string): () => void {
    const { streams, perCaller } = this.limits;
    const own = isClient ? Math.ceil(perCaller * SHARE_OF_CLIENT) : perCaller;
    const caller = `${id} from ${network}`;
    const rooms: [name: string, places: number][] = [['all', streams]];
    if (isClient) {
      rooms.push(['clients', Math.ceil(streams * SHARE_OF_CLIENTS)]);
      rooms.push([id, Math.ceil(streams * SHARE_OF_CLIENT_KEY)]);
    }
    if (rooms.some(([name, places]) => this.openIn(name) >= places)) throw new StreamsFull();
    if (this.openIn(caller) >= own) throw new TooManyStreams(own);
    const taken = [...rooms.map(([name]) => name), caller];
    for (const name of taken) this.open.set(name, this.openIn(name) + 1);
    return once(() => {
      for (const name of taken) this.leave(name);
    });
  }

  /** For the time that a whole ruleset takes to be sent. @returns says that it is over @throws StreamsFull */
  sendRuleset(): () => void {
    if (this.sending >= this.limits.rulesetsSending) throw new StreamsFull();
    this.sending += 1;
    return once(() => (this.sending -= 1));
  }

  private openIn(name: string): number {
    return this.open.get(name) ?? 0;
  }

  private leave(name: string): void {
    const left = this.openIn(name) - 1;
    if (left > 0) this.open.set(name, left);
    else this.open.delete(name);
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

/** Event names with what their listeners are told. */
type EventMap = object;
export type Listener<Payload> = (payload: Payload) => void;

/** Calls listeners, in the order they came. One that throws does no harm to the others, nor to who tells; nor one that rejects later. */
export class Emitter<Events extends EventMap> {
  private readonly listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** @param onFailure told what a listener threw */
  constructor(private readonly onFailure: (error: unknown) => void) {}

  /** @returns ends it */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set);
    // Its own entry, so that a listener that is added twice is two.
    const entry: Listener<Events[Name]> = (payload) => listener(payload);
    set.add(entry);
    return () => void set.delete(entry);
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) {
      try {
        const later = (listener as (payload: Events[Name]) => unknown)(payload);
        // An `async` one; nobody else would hear of it, and the process would end.
        if (later instanceof Promise) later.catch(this.onFailure);
      } catch (error) {
        this.onFailure(error);
      }
    }
  }

  clear(): void {
    this.listeners.clear();
  }
}

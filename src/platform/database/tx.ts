import type { EntityManager } from 'typeorm';

/** Channel of `NOTIFY`: hints from one instance to the others that something moved on. */
export const CHANNEL = 'vexil';

/** One open transaction. Handed on explicitly; whoever holds it writes inside it. */
export class Tx {
  private readonly pending: object[] = [];

  constructor(readonly manager: EntityManager) {}

  /** Publishes `event` after the commit, or never. */
  emit(event: object): void {
    this.pending.push(event);
  }

  /** Tells every instance, at commit, that `topic` moved on. A hint: those who miss it find out by comparing revisions. */
  async notify(topic: string, detail: Readonly<Record<string, string | number>>): Promise<void> {
    await this.manager.query('SELECT pg_notify($1, $2)', [CHANNEL, JSON.stringify({ topic, ...detail })]);
  }

  get events(): readonly object[] {
    return this.pending;
  }
}

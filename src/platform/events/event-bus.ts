import { Injectable, Logger } from '@nestjs/common';

type EventClass<E extends object> = abstract new (...args: never[]) => E;
type Handler = (event: object) => Promise<void> | void;

/**
 * Carries facts (past tense, plain data) from the feature that changed something to those that follow it.
 * `publish` resolves when every handler has finished, so a writer can wait until its change is served.
 * A failing handler is logged and does not fail the others or the publisher: the change is already committed.
 */
@Injectable()
export class EventBus {
  private readonly logger = new Logger(EventBus.name);
  private readonly handlers = new Map<unknown, Handler[]>();

  on<E extends object>(type: EventClass<E>, handler: (event: E) => Promise<void> | void): void {
    const list = this.handlers.get(type) ?? [];
    list.push(handler as Handler);
    this.handlers.set(type, list);
  }

  async publish(event: object): Promise<void> {
    const handlers = this.handlers.get(event.constructor) ?? [];
    const results = await Promise.allSettled(handlers.map(async (handler) => handler(event)));
    for (const result of results) {
      if (result.status === 'rejected') {
        this.logger.error(`A handler of ${event.constructor.name} failed`, result.reason);
      }
    }
  }
}

import { Logger } from '@nestjs/common';

/** Does something again and again, never twice at once, until stopped. What fails is tried again the next time. */
export class Repeating {
  private static readonly logger = new Logger(Repeating.name);
  private readonly timer: NodeJS.Timeout;
  private isRunning = false;

  constructor(
    intervalMs: number,
    private readonly task: () => Promise<void>,
  ) {
    this.timer = setInterval(() => void this.run(), intervalMs);
    this.timer.unref();
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      await this.task();
    } catch (error) {
      Repeating.logger.debug('A repeated task failed', error);
    } finally {
      this.isRunning = false;
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** What SIGTERM and SIGINT do. The first of them counts, and those that follow change nothing. */
export class StopSignal {
  private signal: string | undefined;
  private act: (signal: string) => Promise<void> = async () => {};

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (this.isGiven) return;
        this.signal = signal;
        void this.stop();
      });
    }
  }

  get isGiven(): boolean {
    return this.signal !== undefined;
  }

  /** Says what is to be done before the process ends with code 0. Until it is said, it just ends. */
  before(act: (signal: string) => Promise<void>): void {
    this.act = act;
  }

  private async stop(): Promise<void> {
    await this.act(this.signal ?? '');
    process.exit(0);
  }
}

import { Injectable } from '@nestjs/common';

/** Whether this instance is on its way out: it still answers, but wants no new traffic. */
@Injectable()
export class Readiness {
  private closing = false;

  get isClosing(): boolean {
    return this.closing;
  }

  close(): void {
    this.closing = true;
  }
}

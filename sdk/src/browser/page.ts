/** What a client must know of the page it is in. Where there is no page, it is always in sight. */

interface Listening {
  addEventListener(name: string, listener: () => void): void;
  removeEventListener(name: string, listener: () => void): void;
}
interface Document extends Listening {
  readonly visibilityState: string;
}

export interface PageListener {
  /** The page has been out of sight for as long as `awayAfterMs` says. */
  readonly onAway: () => void;
  /** It is in sight again, or on a network again. */
  readonly onBack: () => void;
  /** It may end now, without another word. */
  readonly onLeave: () => void;
}

/** Listens to the page until it is stopped. */
export class Page {
  private readonly document = (globalThis as { readonly document?: Document }).document;
  private readonly window = globalThis as unknown as Listening;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private away = false;
  /** In milliseconds. */
  awayAfterMs = 120_000;

  constructor(private readonly listener: PageListener) {
    this.document?.addEventListener('visibilitychange', this.onVisibility);
    if (!this.document) return;
    this.window.addEventListener('online', this.onOnline);
    this.window.addEventListener('pagehide', this.onLeave);
  }

  get isAway(): boolean {
    return this.away;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.document?.removeEventListener('visibilitychange', this.onVisibility);
    if (!this.document) return;
    this.window.removeEventListener('online', this.onOnline);
    this.window.removeEventListener('pagehide', this.onLeave);
  }

  private readonly onVisibility = (): void => {
    clearTimeout(this.timer);
    if (this.document?.visibilityState === 'hidden') {
      this.timer = setTimeout(() => {
        this.away = true;
        this.listener.onAway();
      }, this.awayAfterMs);
      this.listener.onLeave();
    } else if (this.away) {
      this.away = false;
      this.listener.onBack();
    }
  };

  private readonly onOnline = (): void => {
    if (!this.away) this.listener.onBack();
  };

  private readonly onLeave = (): void => this.listener.onLeave();
}

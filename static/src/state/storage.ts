/** What this browser remembers. Where there is no storage, nothing is remembered and nothing breaks. */
function open(kind: 'localStorage' | 'sessionStorage') {
  return {
    /** Whatever was written under that name; `undefined` when nothing was. */
    read(key: string): unknown {
      try {
        const text = globalThis[kind].getItem(`vexil.${key}`);
        return text === null ? undefined : (JSON.parse(text) as unknown);
      } catch {
        return undefined;
      }
    },
    write(key: string, value: unknown): void {
      try {
        if (value === undefined) globalThis[kind].removeItem(`vexil.${key}`);
        else globalThis[kind].setItem(`vexil.${key}`, JSON.stringify(value));
      } catch {
        // Full, or forbidden.
      }
    },
  };
}

/** For this tab, until it is closed. */
export const tabStorage = open('sessionStorage');
/** For this browser. */
export const browserStorage = open('localStorage');

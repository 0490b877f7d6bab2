/**
 * One setting: its name in the environment, what it means, its default, and how its text becomes a value.
 * Settings stand in one file per concern (`*.settings.ts`), joined in settings.ts; docs/configuration.md is printed from them.
 */
export interface Setting<T> {
  readonly name: string;
  /** One sentence. */
  readonly what: string;
  /** `seconds`, `bytes`, `URL`… */
  readonly unit: string;
  /** As one would write it in the environment; empty when there is none. */
  readonly fallback: string;
  /** What 0 (or an empty value) means; absent where 0 is refused or has no special meaning. */
  readonly zero?: string;
  readonly isSecret?: boolean;
  /** Throws an Error whose message completes "NAME …": "must be a whole number". Never repeats a secret's value. */
  readonly parse: (text: string) => T;
}

/** Lets a setting keep the type of what it parses. */
export const define = <T>(setting: Setting<T>): Setting<T> => setting;

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}, not '${text}'`);
    }
    return value;
  };
}

export function boolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`must be 'true' or 'false', not '${text}'`);
  return text === 'true';
}

export function oneOf<const T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}, not '${text}'`);
    return found;
  };
}

export function url(protocols: readonly string[]): (text: string) => string | undefined {
  return (text) => {
    if (text === '') return undefined;
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol) || parsed.host === '') {
      // The address may carry a password, so it is not repeated.
      throw new Error(`must be an address that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    }
    return text;
  };
}

export function folder(text: string): string {
  if (text === '' || text.includes('\0')) throw new Error('must be the path of a folder');
  return text;
}

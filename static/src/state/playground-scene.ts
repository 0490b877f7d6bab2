/** What is asked in the playground. */
export interface Scene {
  readonly contexts: readonly string[];
  readonly flags: readonly string[];
  readonly environments: readonly string[];
}

/** The context of somebody who comes for the first time, as text. */
export const FIRST = JSON.stringify({ user_id: 'alice', plan: 'pro', country: 'DE' }, null, 2);

/** Reads what `toFragment` wrote; `undefined` when it is something else. */
export function fromFragment(fragment: string): Partial<Scene> | undefined {
  if (fragment === '') return undefined;
  try {
    const bytes = Uint8Array.from(atob(fragment.replaceAll('-', '+').replaceAll('_', '/')), (each) =>
      each.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes)) as Partial<Scene>;
  } catch {
    return undefined;
  }
}

/** For the fragment of an address: so that it can be shared, and is in nobody's log. */
export function toFragment(scene: Scene): string {
  const bytes = new TextEncoder().encode(JSON.stringify(scene));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** A context as it was typed. */
export function parseContext(text: string): { value: Record<string, unknown> } | { problem: string } {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { problem: 'It must be an object: {"user_id": "alice"}' };
    return { value: value as Record<string, unknown> };
  } catch (error) {
    return { problem: `This is no JSON yet: ${error instanceof Error ? error.message : ''}` };
  }
}

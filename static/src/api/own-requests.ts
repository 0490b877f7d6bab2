/** The last changes that this tab asked for: what the service tells of them is no news here. */
const own = new Set<string>();
const MOST = 200;

export const isOwnRequest = (id: string | null): boolean => id !== null && own.has(id);

/** Changes that belong together share a name that begins with it. */
export const BATCH = 'batch-';

/** Names a request before it is sent, for its echo may be here before its answer. */
export function nameRequest(prefix = 'ui-'): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const id = `${prefix}${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  own.add(id);
  const [first] = own;
  if (own.size > MOST && first !== undefined) own.delete(first);
  return id;
}

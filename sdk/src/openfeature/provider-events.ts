/** What a client tells, as providers tell it. */
import { ApiError, type VexilError } from '../errors.js';

/** What both clients tell. */
interface Telling {
  on(name: 'ready' | 'stale', listener: () => void): () => void;
  on(name: 'change', listener: (change: { readonly flagsChanged: readonly string[] }) => void): () => void;
  on(name: 'error', listener: (error: VexilError) => void): () => void;
}

export interface ProviderListener {
  readonly onReady: () => void;
  readonly onStale: (message: string) => void;
  readonly onChange: (flagsChanged: string[]) => void;
  readonly onError: (message: string) => void;
}

/** An outage is stale, not an error: the last values stay. A key that is refused does not pass. @returns ends it */
export function tellProvider(
  client: Telling,
  { onReady, onStale, onChange, onError }: ProviderListener,
): () => void {
  const ends = [
    client.on('ready', onReady),
    client.on('stale', () => onStale('The service is out of reach; the last values are served')),
    client.on('change', ({ flagsChanged }) => onChange([...flagsChanged])),
    client.on('error', (error) => {
      if (isRefused(error)) onError(error.message);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Whether the service knows us, and will have nothing to do with us. */
export const isRefused = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 401 || error.status === 403);

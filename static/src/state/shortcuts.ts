import { signal } from '@preact/signals';
import { navigate } from '../router.js';
import { browserStorage } from './storage.js';

export const isPaletteOpen = signal(false);
export const isSheetOpen = signal(false);
/** Keys without Ctrl or ⌘ can be switched off: speech input types them by accident. */
export const areSingleKeysOn = signal((browserStorage.read('single-keys') as boolean | undefined) ?? true);

export function setSingleKeys(isOn: boolean): void {
  areSingleKeysOn.value = isOn;
  browserStorage.write('single-keys', isOn ? undefined : false);
}

type KeyHandler = (key: string) => boolean;
const handlers = new Set<KeyHandler>();

/** For the screen that is shown: answers whether it used the key. @returns takes the handler away */
export function onKey(handler: KeyHandler): () => void {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

const PLACES: Readonly<Record<string, string>> = {
  f: '/flags',
  s: '/segments',
  p: '/playground',
  a: '/audit',
  e: '/environments',
  k: '/api-keys',
  u: '/users',
};
const SEQUENCE_MS = 1_200;

/** @returns stops listening */
export function startShortcuts(): () => void {
  let goingAt = Number.NEGATIVE_INFINITY;
  const listen = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      isPaletteOpen.value = !isPaletteOpen.value;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !areSingleKeysOn.value) return;
    const target = event.target as HTMLElement | null;
    if (target?.closest('input, textarea, select, [contenteditable], dialog')) return;
    const { key } = event;
    // When the key was pressed, not when this page came round to it.
    if (event.timeStamp - goingAt < SEQUENCE_MS && PLACES[key] !== undefined) {
      goingAt = Number.NEGATIVE_INFINITY;
      event.preventDefault();
      navigate(PLACES[key]);
    } else if (key === 'g') goingAt = event.timeStamp;
    else if (key === '?') isSheetOpen.value = true;
    else {
      for (const handler of handlers) {
        if (!handler(key)) continue;
        event.preventDefault();
        return;
      }
    }
  };
  document.addEventListener('keydown', listen);
  return () => document.removeEventListener('keydown', listen);
}

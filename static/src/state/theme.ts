import { signal } from '@preact/signals';

const ORDER = ['system', 'light', 'dark'] as const;
type Theme = (typeof ORDER)[number];

const chosen = document.documentElement.dataset['theme'];
export const theme = signal<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : 'system');

/** The system's, light, dark, and around again. `/theme.js` reads the same before the first paint. */
export function nextTheme(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? 'system';
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
  try {
    if (theme.value === 'system') localStorage.removeItem('vexil.theme');
    else localStorage.setItem('vexil.theme', theme.value);
  } catch {
    // No storage: until the page is closed.
  }
}

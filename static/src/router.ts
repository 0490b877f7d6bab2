import { computed, signal } from '@preact/signals';

/** All addresses of the dashboard begin with it; everything else belongs to the API. */
const BASE = '/app';

export interface Place {
  /** Below the base, without a slash at the end: `/flags/new-checkout`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Without its `#`. */
  readonly fragment: string;
}

const read = (): Place => ({
  path: location.pathname.startsWith(BASE)
    ? location.pathname.slice(BASE.length).replace(/\/$/, '') || '/'
    : '/',
  query: new URLSearchParams(location.search),
  fragment: location.hash.slice(1),
});

export const place = signal<Place>(read());
export const path = computed(() => place.value.path);

/** Asked before a place is left; whoever answers false keeps the person here, and leads them on by `proceed` later. */
type LeaveGuard = (proceed: () => void) => boolean;
let guard: LeaveGuard | undefined;

/** @returns takes the guard away */
export function guardLeaving(asked: LeaveGuard): () => void {
  guard = asked;
  return () => {
    if (guard === asked) guard = undefined;
  };
}

export const href = (to: string): string => `${BASE}${to}`;

/** Goes to a place of the dashboard. Within the same path nothing is left, so nobody is asked. */
export function navigate(to: string, { replace = false } = {}): void {
  const go = (): void => {
    if (replace) history.replaceState(null, '', href(to));
    else history.pushState(null, '', href(to));
    const before = place.value.path;
    place.value = read();
    if (place.value.path !== before) scrollTo(0, 0);
  };
  const isElsewhere = to.split(/[?#]/)[0] !== place.value.path;
  if (isElsewhere && guard && !guard(go)) return;
  go();
}

/** Changes the query of the present place. Empty values leave it. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  { replace = true } = {},
): void {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(`${place.value.path}${text === '' ? '' : `?${text}`}`, { replace });
}

/** Follows the browser's own buttons, and links within the dashboard. */
export function startRouter(): void {
  if (!location.pathname.startsWith(BASE)) history.replaceState(null, '', href('/flags'));
  place.value = read();
  addEventListener('popstate', () => {
    const there = read();
    const here = href(place.value.path + (place.value.query.size > 0 ? `?${place.value.query}` : ''));
    const go = (): void => {
      place.value = read();
    };
    if (there.path === place.value.path || !guard) {
      go();
      return;
    }
    const target = location.href;
    history.pushState(null, '', here);
    if (
      guard(() => {
        history.pushState(null, '', target);
        go();
      })
    ) {
      history.replaceState(null, '', target);
      go();
    }
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin)
      return;
    if (!link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    navigate(`${link.pathname.slice(BASE.length)}${link.search}${link.hash}`);
  });
}

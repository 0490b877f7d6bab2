import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect } from 'preact/hooks';
import { path } from '../router.js';
import { cannotWrite } from '../state/health.js';
import { connection } from '../state/live.js';
import { isAtLeast, logOut, user } from '../state/session.js';
import { isPaletteOpen, isSheetOpen, startShortcuts } from '../state/shortcuts.js';
import { nextTheme, theme } from '../state/theme.js';
import { Button, IconButton } from '../widgets/button.js';
import { Icon, type IconName } from '../widgets/icon.js';
import { lazy } from '../widgets/lazy.js';
import { Notice } from '../widgets/small.js';
import { Logo } from './logo.js';
import { Screen } from './screen.js';

const Palette = lazy(async () => (await import('./palette.js')).Palette);
const ShortcutSheet = lazy(async () => (await import('./shortcut-sheet.js')).ShortcutSheet);

const NAVIGATION: readonly { to: string; label: string; icon: IconName; admin?: true }[] = [
  { to: '/flags', label: 'Flags', icon: 'flag' },
  { to: '/segments', label: 'Segments', icon: 'segment' },
  { to: '/playground', label: 'Playground', icon: 'play' },
  { to: '/audit', label: 'Audit log', icon: 'history' },
  { to: '/environments', label: 'Environments', icon: 'layers' },
  { to: '/api-keys', label: 'API keys', icon: 'key', admin: true },
  { to: '/users', label: 'Users', icon: 'users', admin: true },
  { to: '/start', label: 'Getting started', icon: 'info' },
];

/** What is around every screen: where one can go, whether it is live, who one is. */
export function Shell({ children }: { children?: ComponentChildren }) {
  const isMenuOpen = useSignal(false);
  // Before the first paint, here and wherever keys are waited for: what can be seen can be used, however slow the machine.
  useLayoutEffect(startShortcuts, []);
  useEffect(() => {
    isMenuOpen.value = false;
  }, [path.value]);
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <aside class={isMenuOpen.value ? 'sidebar open' : 'sidebar'}>
        <div class="sidebar-head">
          <a href="/app/flags" class="logo-link" aria-label="Vexil: all flags">
            <Logo />
          </a>
          <span class="only-small">
            <IconButton
              label="Menu"
              icon="menu"
              aria-expanded={isMenuOpen.value}
              aria-controls="navigation"
              onClick={() => (isMenuOpen.value = !isMenuOpen.value)}
            />
          </span>
        </div>
        <nav id="navigation" aria-label="Screens">
          <ul>
            {NAVIGATION.map(({ to, label, icon, admin }) => (
              <li key={to}>
                <a
                  href={`/app${to}`}
                  aria-current={path.value === to || path.value.startsWith(`${to}/`) ? 'page' : undefined}
                >
                  <Icon name={icon} />
                  <span>{label}</span>
                  {admin && !isAtLeast('admin') && (
                    <span class="nav-lock" title="For admins">
                      <Icon name="lock" size={13} />
                      <span class="hidden">for admins</span>
                    </span>
                  )}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </aside>
      <div class="main">
        <header class="topbar">
          <ConnectionPill />
          <div class="topbar-end">
            <Button
              small
              icon="search"
              onClick={() => (isPaletteOpen.value = true)}
              aria-keyshortcuts="Control+K"
            >
              <span class="only-large">Search</span> <kbd>Ctrl K</kbd>
            </Button>
            <IconButton
              label={`Theme: ${theme.value}`}
              icon={theme.value === 'light' ? 'sun' : theme.value === 'dark' ? 'moon' : 'screen'}
              onClick={nextTheme}
            />
            <span class="whoami" title={user.value?.email}>
              <span class="whoami-name">{user.value?.email}</span>
              <span class="badge plain">{user.value?.role}</span>
            </span>
            <IconButton label="Log out" icon="logout" onClick={logOut} />
          </div>
        </header>
        <main id="content" tabIndex={-1}>
          {cannotWrite.value !== undefined && (
            <Notice id="cannot-write" tone="warn" role="status">
              {cannotWrite.value}
            </Notice>
          )}
          {children ?? <Screen />}
        </main>
      </div>
      {isPaletteOpen.value && <Palette />}
      {isSheetOpen.value && <ShortcutSheet />}
    </div>
  );
}

const STATES = {
  connecting: ['Connecting', 'wait'],
  live: ['Live', 'good'],
  reconnecting: ['Reconnecting', 'warn'],
  offline: ['Offline · read-only', 'bad'],
} as const;

function ConnectionPill() {
  const [label, tone] = STATES[connection.value];
  return (
    <span class={`pill ${tone}`} role="status">
      <span class="pill-dot" aria-hidden="true" />
      {label}
    </span>
  );
}

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { readFlagTable, type FlagTableRow } from '../api/flags.js';
import type { Role } from '../api/people.js';
import { navigate } from '../router.js';
import { asksFirst, environments } from '../state/environments.js';
import { toggleFlag } from '../state/flag-table.js';
import { isAtLeast, logOut } from '../state/session.js';
import { isPaletteOpen, isSheetOpen } from '../state/shortcuts.js';
import { nextTheme } from '../state/theme.js';
import { cellSummary } from '../state/wording.js';
import { Dialog } from '../widgets/dialog.js';
import { Icon, type IconName } from '../widgets/icon.js';
import { ToggleDialog, type AskedToggle } from './toggle-dialog.js';

interface Command {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly icon: IconName;
  /** @returns true when the palette stays open, for a question */
  readonly run: () => boolean | undefined;
}

const SCREENS: readonly (readonly [string, string, IconName])[] = [
  ['/flags', 'Flags', 'flag'],
  ['/segments', 'Segments', 'segment'],
  ['/playground', 'Playground', 'play'],
  ['/audit', 'Audit log', 'history'],
  ['/environments', 'Environments', 'layers'],
  ['/api-keys', 'API keys', 'key'],
  ['/users', 'Users', 'users'],
  ['/start', 'Getting started', 'info'],
];
/** Who may make what, and where. */
const MAKINGS: readonly (readonly [Role, string, string, string])[] = [
  ['developer', '/flags', 'New flag', 'make'],
  ['developer', '/segments', 'New segment', 'make'],
  ['admin', '/api-keys', 'New API key', 'make'],
  ['admin', '/environments', 'New environment', 'make'],
  ['admin', '/users', 'Invite somebody', 'people'],
];
const MOST = 20;

/** Goes anywhere and does most things, from the keyboard. */
export function Palette() {
  const [text, setText] = useState('');
  const [found, setFound] = useState<{ readonly words: string; readonly items: readonly FlagTableRow[] }>({
    words: '',
    items: [],
  });
  const [at, setAt] = useState(0);
  const [asked, setAsked] = useState<AskedToggle>();
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  // "turn off fraud-check in staging", "fraud", "new flag"
  const wish = /^turn (on|off)\s+(\S+)(?:\s+in\s+(\S.*))?/i.exec(text.trim());
  const words = wish ? (wish[2] ?? '') : text.trim();
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      readFlagTable({ ...(words === '' ? { sort: 'changed' } : { q: words }), limit: 6 }).then(
        ({ items }) => isCurrent && setFound({ words, items }),
        () => undefined,
      );
    }, 60);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [words]);

  // What was found for other words stays only where it fits these too: Enter must never mean what is no longer asked for.
  const flags =
    found.words === words ? found.items : found.items.filter((row) => fits(row, words.toLowerCase()));
  const close = (): void => {
    isPaletteOpen.value = false;
  };
  const go = (to: string) => (): undefined => {
    close();
    navigate(to);
  };
  const commands: Command[] = [
    ...flags
      .filter(() => !wish)
      .map((row): Command => ({
        id: `flag-${row.key}`,
        label: row.key,
        hint: row.name === row.key ? 'flag' : row.name,
        icon: 'flag',
        run: go(`/flags/${row.key}`),
      })),
    // After the flags: one flag has a dozen of them where there are a dozen environments.
    ...flags.flatMap((row) => toggles(row, wish, words, setAsked)),
    ...SCREENS.map(([to, label, icon]): Command => ({ id: to, label, hint: 'screen', icon, run: go(to) })),
    ...MAKINGS.filter(([role]) => isAtLeast(role)).map(([, to, label, hint]): Command => ({
      id: `new-${to}`,
      label,
      hint,
      icon: 'plus',
      run: go(`${to}?new=1`),
    })),
    { id: 'theme', label: 'Change the theme', hint: 'look', icon: 'moon', run: () => (nextTheme(), true) },
    {
      id: 'keys',
      label: 'Keyboard shortcuts',
      hint: 'help',
      icon: 'command',
      run: () => {
        close();
        isSheetOpen.value = true;
        return undefined;
      },
    },
    {
      id: 'logout',
      label: 'Log out',
      hint: 'leave',
      icon: 'logout',
      run: () => (close(), logOut(), undefined),
    },
  ];
  const lower = text.trim().toLowerCase();
  const shown = commands
    .filter(
      ({ id: each, label }) =>
        lower === '' ||
        each.startsWith('flag-') ||
        each.startsWith('turn-') ||
        label.toLowerCase().includes(lower),
    )
    // What is called just that comes first.
    .sort((one, other) => rank(other, lower) - rank(one, lower))
    .slice(0, MOST);
  const current = Math.min(at, shown.length - 1);
  const move = (to: number): void => {
    setAt(to);
    list.current?.children[to]?.scrollIntoView({ block: 'nearest' });
  };

  if (asked) return <ToggleDialog asked={asked} onClose={close} />;
  return (
    <Dialog title="Search and commands" hideTitle size="palette" onClose={close}>
      <div class="palette-body">
        <input
          type="text"
          role="combobox"
          aria-label="Search flags, screens and actions"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={shown[current] ? `${id}-${current}` : undefined}
          aria-autocomplete="list"
          placeholder="A flag, a screen, or “turn off new-checkout in staging”"
          autoFocus
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') move(Math.min(shown.length - 1, current + 1));
            else if (event.key === 'ArrowUp') move(Math.max(0, current - 1));
            else if (event.key === 'Enter') {
              shown[current]?.run();
            } else return;
            event.preventDefault();
          }}
        />
        <ul id={id} role="listbox" aria-label="Results" ref={list} class="palette-list">
          {shown.map((command, index) => (
            <li
              key={command.id}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === current}
              onMouseMove={() => setAt(index)}
              onClick={() => void command.run()}
            >
              <Icon name={command.icon} />
              <span class="palette-label">{command.label}</span>
              <span class="muted palette-hint">{command.hint}</span>
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p class="muted">Nothing fits.</p>}
      </div>
    </Dialog>
  );
}

const fits = ({ key, name }: FlagTableRow, words: string): boolean =>
  key.includes(words) || name.toLowerCase().includes(words);

const rank = ({ label }: Command, words: string): number => (label.toLowerCase() === words ? 1 : 0);

/** Turning a flag on or off, where it is not so already. */
function toggles(
  row: FlagTableRow,
  wish: RegExpExecArray | null,
  words: string,
  onAsk: (toggle: AskedToggle) => void,
): Command[] {
  if (!wish && row.key !== words) return [];
  const where = wish?.[3]?.toLowerCase();
  return row.environments.flatMap((cell): Command[] => {
    const environment = environments.value?.find(({ key }) => key === cell.environment_key);
    if (!environment || !isAtLeast(environment.protected ? 'admin' : 'developer') || row.archived_at !== null)
      return [];
    if (
      where !== undefined &&
      !environment.key.startsWith(where) &&
      !environment.name.toLowerCase().startsWith(where)
    )
      return [];
    const isEnabled = !cell.is_enabled;
    if (wish && (wish[1]?.toLowerCase() === 'on') !== isEnabled) return [];
    const toggle = { key: row.key, environment: environment.key, isEnabled, version: cell.version };
    return [
      {
        id: `turn-${row.key}-${environment.key}`,
        label: `Turn ${isEnabled ? 'on' : 'off'} ${row.key} in ${environment.name}`,
        hint: asksFirst(environment.key) ? 'asks first' : 'at once',
        icon: isEnabled ? 'play' : 'minus',
        run: () => {
          if (asksFirst(environment.key)) {
            onAsk({ ...toggle, summary: cellSummary(cell), name: environment.name });
            return true;
          }
          isPaletteOpen.value = false;
          void toggleFlag(toggle);
          return undefined;
        },
      },
    ];
  });
}

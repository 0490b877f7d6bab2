import { areSingleKeysOn, isSheetOpen, setSingleKeys } from '../state/shortcuts.js';
import { Dialog } from '../widgets/dialog.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['Ctrl K', 'Search and commands'],
  ['/', 'Search flags'],
  ['g f', 'Flags'],
  ['g s', 'Segments'],
  ['g p', 'Playground'],
  ['g a', 'Audit log'],
  ['g e', 'Environments'],
  ['j  k', 'Next and previous row'],
  ['x', 'Select the row'],
  ['e', 'Open the row'],
  ['?', 'This list'],
  ['Esc', 'Close'],
];

export function ShortcutSheet() {
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => (isSheetOpen.value = false)}>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys
                .split(' ')
                .filter(Boolean)
                .map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={areSingleKeysOn.value}
          onChange={(event) => setSingleKeys(event.currentTarget.checked)}
        />
        Single keys do something
      </label>
    </Dialog>
  );
}

import { computed, signal } from '@preact/signals';
import type { Environment } from '../api/environments.js';
import { environments } from '../state/environments.js';
import { browserStorage } from '../state/storage.js';

/** More do not fit beside each other. */
const MOST = 6;

const chosen = signal<readonly string[] | undefined>(browserStorage.read('columns') as string[] | undefined);

/** The environments that have a column: those that were picked, or the first ones, with the protected ones before the others. */
export const shownEnvironments = computed<readonly Environment[]>(() => {
  const all = environments.value ?? [];
  const picked = all.filter(({ key }) => chosen.value?.includes(key));
  if (picked.length > 0) return picked.slice(0, MOST);
  if (all.length <= MOST) return all;
  const first = new Set([...new Set([...all.filter((each) => each.protected), ...all])].slice(0, MOST));
  return all.filter((each) => first.has(each));
});

/** Which environments to show, where there are more than fit. */
export function ColumnPicker() {
  const all = environments.value ?? [];
  if (all.length <= 3) return null;
  const shown = new Set(shownEnvironments.value.map(({ key }) => key));
  return (
    <details class="picker">
      <summary class="button">
        Environments <span class="badge plain">{shown.size}</span>
      </summary>
      <fieldset class="picker-panel">
        <legend>Shown as columns, up to {MOST}</legend>
        {all.map((environment) => {
          const isShown = shown.has(environment.key);
          return (
            <label key={environment.key} class="check">
              <input
                type="checkbox"
                checked={isShown}
                disabled={isShown ? shown.size === 1 : shown.size >= MOST}
                onChange={() => {
                  const next = new Set(shown);
                  if (!next.delete(environment.key)) next.add(environment.key);
                  chosen.value = [...next];
                  browserStorage.write('columns', chosen.value);
                }}
              />
              {environment.name}
            </label>
          );
        })}
      </fieldset>
    </details>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { readFlagTable, type Flag } from '../api/flags.js';
import type { FlagDraft } from '../state/flag-draft.js';
import type { FlagEditor } from '../state/flag-editor.js';
import { Button, IconButton } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { Unreadable } from './unreadable.js';

/** What other flags must serve, before this one serves anything. */
export function Prerequisites({ editor, draft, flag }: { editor: FlagEditor; draft: FlagDraft; flag: Flag }) {
  const [others, setOthers] = useState<readonly { key: string; variants: readonly string[] }[]>([]);
  useEffect(() => {
    readFlagTable({ limit: 200 }).then(
      ({ items }) =>
        setOthers(
          items
            .filter(({ key }) => key !== flag.key)
            .map(({ key, variants }) => ({ key, variants: variants.map((variant) => variant.key) })),
        ),
      () => undefined,
    );
  }, [flag.key]);
  if (draft.prerequisites === null) return <Unreadable />;
  const list = draft.prerequisites as readonly { flag_key: string; variants: string[] }[];
  const write = (next: typeof list): void =>
    editor.edit({ prerequisites: [...next] as FlagDraft['prerequisites'] });
  return (
    <div class="stack">
      <p class="muted">
        {list.length === 0
          ? 'None: this flag stands alone. Name a flag that must be on first, such as the new backend behind a new page.'
          : `Where one of them serves something else, ${flag.off_variant === null ? "everyone gets the caller's default" : `everyone gets ${flag.off_variant}`}.`}
      </p>
      {list.map((prerequisite, index) => (
        <div key={index} class="condition">
          <input
            type="text"
            class="mono"
            aria-label="Flag"
            placeholder="flag key"
            list="other-flags"
            value={prerequisite.flag_key}
            spellcheck={false}
            onInput={({ currentTarget: { value } }) => {
              const known = others.find(({ key }) => key === value);
              write(
                list.map((each, at) =>
                  at === index
                    ? { flag_key: value, variants: known ? known.variants.slice(0, 1) : each.variants }
                    : each,
                ),
              );
            }}
          />
          <span class="condition-word">serves one of</span>
          <ChipsInput
            label="Variants"
            aria-label="Variants"
            values={prerequisite.variants}
            placeholder="variants"
            onChange={(variants) =>
              write(list.map((each, at) => (at === index ? { ...each, variants: [...variants] } : each)))
            }
          />
          <IconButton
            label="Remove this prerequisite"
            icon="trash"
            onClick={() => write(list.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <datalist id="other-flags">
        {others.map(({ key }) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      <div class="row">
        <Button small icon="plus" onClick={() => write([...list, { flag_key: '', variants: [] }])}>
          Prerequisite
        </Button>
      </div>
    </div>
  );
}

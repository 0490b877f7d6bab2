import { useState } from 'preact/hooks';
import { plural } from '../state/wording.js';
import { Icon } from './icon.js';

interface Props {
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
  readonly label: string;
  readonly placeholder?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly id?: string;
  readonly 'aria-label'?: string;
  /** Id of a datalist with words to choose from. */
  readonly list?: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: 'true';
}

/** More chips than that are counted, not drawn. */
const DRAWN = 200;

/** A list of words. Takes pasted lists, one to a line or with commas; each word once. */
export function ChipsInput({ values, onChange, label, placeholder, disabled, ...field }: Props) {
  const [text, setText] = useState('');
  const [said, setSaid] = useState('');
  const add = (words: readonly string[]): void => {
    const clean = words.map((word) => word.trim()).filter((word) => word !== '');
    const next = [...new Set([...values, ...clean])];
    const added = next.length - values.length;
    if (clean.length > 1)
      setSaid(
        `${plural(added, 'value')} added${clean.length > added ? `, ${clean.length - added} were there already` : ''}`,
      );
    if (added > 0) onChange(next);
    setText('');
  };
  const hidden = values.length - DRAWN;
  return (
    <div class={disabled ? 'chips disabled' : 'chips'}>
      {values.slice(0, DRAWN).map((value) => (
        <span key={value} class="chip">
          <span>{value}</span>
          {!disabled && (
            <button
              type="button"
              aria-label={`Remove ${value} from ${label}`}
              onClick={() => onChange(values.filter((each) => each !== value))}
            >
              <Icon name="close" size={12} />
            </button>
          )}
        </span>
      ))}
      {hidden > 0 && <span class="chip more">and {hidden} more</span>}
      {!disabled && (
        <input
          type="text"
          value={text}
          placeholder={values.length === 0 ? (placeholder ?? 'Type and press Enter') : ''}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          {...field}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if ((event.key === 'Enter' || event.key === ',') && text.trim() !== '') {
              event.preventDefault();
              add([text]);
            } else if (event.key === 'Enter') event.preventDefault();
            else if (event.key === 'Backspace' && text === '' && values.length > 0)
              onChange(values.slice(0, -1));
          }}
          onBlur={() => {
            if (text.trim() !== '') add([text]);
          }}
          onPaste={(event) => {
            const pasted = event.clipboardData?.getData('text') ?? '';
            const words = pasted.split(/[\n\r,\t]+/);
            if (words.length < 2) return;
            event.preventDefault();
            add(words);
          }}
        />
      )}
      <span class="hidden" role="status">
        {said}
      </span>
    </div>
  );
}

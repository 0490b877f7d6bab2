import { useId, useState } from 'preact/hooks';
import { contextText, ROW_KINDS, rowsOf, type ContextRow, type RowKind } from '../state/context-rows.js';
import { parseContext } from '../state/playground-scene.js';
import { Button, IconButton } from './button.js';
import { Field } from './field.js';

/** Who asks, as a form or as JSON. What no form can hold is shown as JSON only. */
export function ContextEditor({
  label,
  hint,
  text,
  attributes,
  onChange,
}: {
  label: string;
  hint?: string | undefined;
  text: string;
  /** Names of attributes that rules speak of. */
  attributes: readonly string[];
  onChange: (text: string) => void;
}) {
  const [isJson, setJson] = useState(false);
  const read = parseContext(text);
  const rows = 'value' in read ? rowsOf(read.value) : undefined;
  return (
    <div class="context">
      <div class="context-head">
        <strong>{label}</strong>
        {rows && (
          <Button small tone="quiet" onClick={() => setJson(!isJson)}>
            {isJson ? 'As a form' : 'As JSON'}
            <span class="hidden"> ({label})</span>
          </Button>
        )}
      </div>
      {rows && !isJson ? (
        <Rows key={label} label={label} text={text} rows={rows} attributes={attributes} onChange={onChange} />
      ) : (
        <Field label={label} hideLabel error={'problem' in read ? read.problem : undefined}>
          <textarea
            class="mono"
            rows={6}
            spellcheck={false}
            value={text}
            onInput={(event) => {
              setJson(true);
              onChange(event.currentTarget.value);
            }}
          />
        </Field>
      )}
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

function Rows({
  label,
  text,
  rows,
  attributes,
  onChange,
}: {
  label: string;
  text: string;
  rows: readonly ContextRow[];
  attributes: readonly string[];
  onChange: (text: string) => void;
}) {
  // A row that has no name yet is not in the text; it is only here.
  const [typed, setTyped] = useState({ rows, text });
  const shown = typed.text === text ? typed.rows : rows;
  const names = useId();
  const write = (next: readonly ContextRow[]): void => {
    const written = contextText(next);
    setTyped({ rows: next, text: written });
    onChange(written);
  };
  const replace = (index: number, change: Partial<ContextRow>): void =>
    write(shown.map((row, at) => (at === index ? { ...row, ...change } : row)));
  return (
    <div class="context-rows" role="group" aria-label={label}>
      {shown.map((row, index) => {
        const called = row.name === '' ? `attribute ${index + 1}` : row.name;
        return (
          <div key={index} class="context-row">
            <input
              type="text"
              class="mono"
              aria-label={`Name of attribute ${index + 1}`}
              placeholder="attribute"
              list={names}
              maxLength={100}
              spellcheck={false}
              autocapitalize="off"
              autocomplete="off"
              value={row.name}
              onInput={(event) => replace(index, { name: event.currentTarget.value })}
            />
            <RowValue
              row={row}
              label={`Value of ${called}`}
              onChange={(next) => replace(index, { text: next })}
            />
            <select
              aria-label={`Type of ${called}`}
              value={row.kind}
              onChange={({ currentTarget: { value } }) => {
                const kind = value as RowKind;
                replace(index, {
                  kind,
                  text: kind === 'boolean' ? 'true' : row.kind === 'boolean' ? '' : row.text,
                });
              }}
            >
              {Object.entries(ROW_KINDS).map(([kind, words]) => (
                <option key={kind} value={kind}>
                  {words}
                </option>
              ))}
            </select>
            <IconButton
              label={`Remove ${called}`}
              icon="trash"
              onClick={() => write(shown.filter((_, at) => at !== index))}
            />
          </div>
        );
      })}
      <datalist id={names}>
        {attributes.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <div>
        <Button small icon="plus" onClick={() => write([...shown, { name: '', kind: 'text', text: '' }])}>
          Attribute
        </Button>
      </div>
    </div>
  );
}

function RowValue({
  row,
  label,
  onChange,
}: {
  row: ContextRow;
  label: string;
  onChange: (text: string) => void;
}) {
  if (row.kind === 'boolean')
    return (
      <select aria-label={label} value={row.text} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="true">Yes</option>
        <option value="false">No</option>
      </select>
    );
  return (
    <input
      type="text"
      inputMode={row.kind === 'number' ? 'decimal' : 'text'}
      aria-label={label}
      aria-invalid={
        row.kind === 'number' && !Number.isFinite(Number(row.text || 'none')) ? 'true' : undefined
      }
      placeholder={row.kind === 'list' ? 'one, two' : 'value'}
      spellcheck={false}
      autocapitalize="off"
      autocomplete="off"
      value={row.text}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

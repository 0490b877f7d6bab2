import type { InputHTMLAttributes } from 'preact';
import { useState } from 'preact/hooks';

interface Props {
  readonly type: 'text' | 'number';
  readonly value: string | number;
  /** Hears what was typed when it is done, and not of each key. */
  readonly onDone: (text: string) => void;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number | 'any';
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly spellcheck?: boolean;
  readonly 'aria-label'?: string;
}

/** A field that counts when it is left. Until then what is typed stays, whatever is drawn anew around it. */
export function TypedInput({ value, onDone, ...attributes }: Props) {
  const [typed, setTyped] = useState<string>();
  return (
    <input
      {...(attributes as InputHTMLAttributes)}
      value={typed ?? value}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => {
        setTyped(undefined);
        onDone(event.currentTarget.value);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}

import { Field } from './field.js';

interface Props {
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** Why something is made, where that must be said. */
export function ReasonField({ value, onInput }: Props) {
  return (
    <Field label="Reason" hint="Required here. Kept in the audit log.">
      <input
        type="text"
        required
        maxLength={500}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

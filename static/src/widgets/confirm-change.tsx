import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Consent } from '../api/flags.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { Field } from './field.js';

interface Props {
  readonly title: string;
  /** What the button says: "Turn on". */
  readonly verb: string;
  /** Typed by the person before the button can be pressed; nothing to type when absent. */
  readonly typed?: string | undefined;
  /** Whether the person must say why. */
  readonly isReasoned?: boolean;
  readonly tone?: 'primary' | 'danger';
  readonly busy?: boolean;
  /** Nothing is changed by it: it can be done also while nothing can. */
  readonly isHarmless?: boolean;
  readonly error?: string | undefined;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
  readonly onConfirm: (consent: Consent) => void;
}

/** Shows what is about to happen and asks whether it is meant; in a protected environment the key is typed. */
export function ConfirmChange({
  title,
  verb,
  typed,
  isReasoned = false,
  tone = 'primary',
  busy,
  isHarmless,
  error,
  wide,
  children,
  onClose,
  onConfirm,
}: Props) {
  const [text, setText] = useState('');
  const [reason, setReason] = useState('');
  const isMeant = typed === undefined || text.trim() === typed;
  const isExplained = !isReasoned || reason.trim() !== '';
  const isReady = isMeant && isExplained;
  return (
    <Dialog title={title} onClose={onClose} size={wide ? 'wide' : 'small'}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !busy)
            onConfirm({ reason: reason.trim(), ...(typed === undefined ? {} : { confirm: typed }) });
        }}
      >
        {children}
        {typed !== undefined && (
          <Field
            label={
              <>
                Type <code>{typed}</code> to confirm
              </>
            }
          >
            <input
              type="text"
              value={text}
              autoFocus
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </Field>
        )}
        <Field
          label={isReasoned ? 'Reason' : 'Reason (optional)'}
          hint={isReasoned ? 'Required here. Kept in the audit log.' : 'Kept in the audit log.'}
        >
          <input
            type="text"
            value={reason}
            required={isReasoned}
            maxLength={500}
            autoFocus={typed === undefined}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </Field>
        {error && (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            tone={tone}
            writes={isHarmless !== true}
            disabled={!isReady}
            title={isExplained ? undefined : 'Say why first'}
            busy={busy ?? false}
          >
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

import type { Consent } from '../api/flags.js';
import { isProtected, isReasoned } from '../state/environments.js';
import { ConfirmChange } from '../widgets/confirm-change.js';

/** What is shown of a toggle before it is confirmed. */
export interface ShownToggle {
  readonly key: string;
  readonly isEnabled: boolean;
  /** What it does while it is on. */
  readonly summary: string;
  /** The environment's key. */
  readonly environment: string;
  /** The environment's name. */
  readonly name: string;
}

/** What turning a flag on or off does, confirmed by its key or explained by a reason. */
export function ConfirmToggle({
  asked: { key, environment, name, isEnabled, summary },
  busy,
  onClose,
  onConfirm,
}: {
  asked: ShownToggle;
  busy?: boolean;
  onClose: () => void;
  onConfirm: (consent: Consent) => void;
}) {
  const verb = isEnabled ? 'Turn on' : 'Turn off';
  return (
    <ConfirmChange
      title={`${verb} in ${name}?`}
      verb={verb}
      typed={isProtected(environment) ? key : undefined}
      isReasoned={isReasoned(environment)}
      tone={isEnabled ? 'primary' : 'danger'}
      busy={busy ?? false}
      onClose={onClose}
      onConfirm={onConfirm}
    >
      <p>
        {isEnabled
          ? 'Live users get what this flag serves, at once.'
          : 'Live users get the off variant, at once, whatever the rules say.'}
      </p>
      <div class="diff" role="group" aria-label="What changes">
        <div class="removed">
          <span aria-hidden="true">−</span> {isEnabled ? 'off' : `on (${summary})`}
        </div>
        <div class="added">
          <span aria-hidden="true">+</span> {isEnabled ? `on (${summary})` : 'off'}
        </div>
      </div>
    </ConfirmChange>
  );
}

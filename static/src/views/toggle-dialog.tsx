import { useState } from 'preact/hooks';
import { toggleFlag, type Toggle } from '../state/flag-table.js';
import { ConfirmChange } from '../widgets/confirm-change.js';

export interface AskedToggle extends Toggle {
  /** What it does while it is on. */
  readonly summary: string;
  /** The environment's name. */
  readonly name: string;
}

/** Turning a flag on or off where it is protected: shown, then confirmed by its key. */
export function ToggleDialog({ asked, onClose }: { asked: AskedToggle; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const { key, name, isEnabled, summary } = asked;
  const verb = isEnabled ? 'Turn on' : 'Turn off';
  return (
    <ConfirmChange
      title={`${verb} in ${name}?`}
      verb={verb}
      typed={key}
      tone={isEnabled ? 'primary' : 'danger'}
      busy={isBusy}
      onClose={onClose}
      onConfirm={(consent) => {
        setBusy(true);
        void toggleFlag(asked, consent).finally(onClose);
      }}
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

import { useState } from 'preact/hooks';
import { toggleFlag, type Toggle } from '../state/flag-table.js';
import { ConfirmToggle, type ShownToggle } from './confirm-toggle.js';

/** A toggle that is asked about first. */
export type AskedToggle = Toggle & ShownToggle;

/** Turning a flag on or off where that is asked about first, in the table of flags. */
export function ToggleDialog({ asked, onClose }: { asked: AskedToggle; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  return (
    <ConfirmToggle
      asked={asked}
      busy={isBusy}
      onClose={onClose}
      onConfirm={(consent) => {
        setBusy(true);
        void toggleFlag(asked, consent).finally(onClose);
      }}
    />
  );
}

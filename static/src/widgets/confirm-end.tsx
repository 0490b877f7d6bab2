import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { toast } from '../state/toasts.js';
import { ConfirmChange } from './confirm-change.js';

/** Asks before something is over for good, ends it, and says so. */
export function ConfirmEnd({
  title,
  verb,
  said,
  children,
  onEnd,
  onClose,
}: {
  title: string;
  verb: string;
  /** Once it is over. */
  said: string;
  children: ComponentChildren;
  onEnd: (reason: string | undefined) => Promise<unknown>;
  onClose: (isOver: boolean) => void;
}) {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const end = async (reason: string | undefined): Promise<void> => {
    setBusy(true);
    try {
      await onEnd(reason);
      toast(said);
      onClose(true);
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <ConfirmChange
      title={title}
      verb={verb}
      tone="danger"
      busy={isBusy}
      error={problem}
      onClose={() => onClose(false)}
      onConfirm={({ reason }) => void end(reason)}
    >
      {children}
    </ConfirmChange>
  );
}

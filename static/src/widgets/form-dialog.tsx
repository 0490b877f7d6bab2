import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { Notice } from './small.js';

interface Props {
  readonly title: string;
  /** What the button says. */
  readonly verb: string;
  readonly tone?: 'primary' | 'danger';
  /** Whether what was filled in can be sent at all. */
  readonly isReady?: boolean;
  /** Fields that say themselves what is wrong with them, by the API's names. */
  readonly placed?: readonly string[];
  readonly onClose: () => void;
  /** Sends it, and leaves the dialog. What it throws is shown, and can be tried again. */
  readonly onSubmit: () => Promise<void>;
  /** @param errorOf what is wrong with a field, by its name in the API */
  readonly children: (errorOf: (path: string) => string | undefined, problem: unknown) => ComponentChildren;
}

/** A form that is filled in and sent, in a dialog. */
export function FormDialog({
  title,
  verb,
  tone = 'primary',
  isReady = true,
  placed = [],
  onClose,
  onSubmit,
  children,
}: Props) {
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const errors = problem instanceof ApiProblem ? problem.errors : [];
  const errorOf = (path: string): string | undefined => errors.find((error) => error.path === path)?.message;
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await onSubmit();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const isPlaced = placed.some((path) => errorOf(path) !== undefined);
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy && isReady) void submit();
        }}
      >
        {problem !== undefined && !isPlaced && (
          <Notice tone="bad" role="alert">
            {errors.length > 1
              ? errors.map(({ path, message }) => <p key={path}>{`${path}: ${message}`}</p>)
              : sentenceOf(problem)}
          </Notice>
        )}
        {children(errorOf, problem)}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" writes tone={tone} busy={isBusy} disabled={!isReady}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

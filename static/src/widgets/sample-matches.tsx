import { useEffect, useState } from 'preact/hooks';
import type { ConditionTrial } from '../api/conditions.js';
import type { ConditionGroup } from '../state/conditions.js';
import { isWritten, MOST_SAMPLES, readSamples, writeSamples } from '../state/sample-text.js';
import { keepSamples, samples, trySamples } from '../state/samples.js';
import { plural } from '../state/wording.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { Field } from './field.js';

/** "matches 3 of your 5 sample contexts", as the service sees it. Says nothing while there are no samples. */
export function SampleMatches({ environment, group }: { environment: string; group: ConditionGroup }) {
  const [trial, setTrial] = useState<ConditionTrial>();
  const list = samples.value;
  const asked = JSON.stringify(group);
  useEffect(() => {
    let isCurrent = true;
    if (list.length === 0 || !isWritten(group)) setTrial(undefined);
    else
      trySamples(environment, group).then(
        (found) => isCurrent && setTrial(found),
        () => isCurrent && setTrial(undefined),
      );
    return () => {
      isCurrent = false;
    };
  }, [environment, asked, list]);
  const [flaw] = trial?.problems ?? [];
  if (flaw) return <span class="sample-matches bad">cannot be asked: {flaw.message}</span>;
  if (!trial?.matches) return null;
  const count = trial.matches.filter(Boolean).length;
  return (
    <span class="sample-matches">
      matches {count} of your {plural(trial.matches.length, 'sample context')}
    </span>
  );
}

/** Writes the samples that rules are held against. */
export function SamplesButton() {
  const [isOpen, setOpen] = useState(false);
  const count = samples.value.length;
  return (
    <>
      <Button small tone="quiet" icon="users" onClick={() => setOpen(true)}>
        {count === 0 ? 'Try on samples…' : `${plural(count, 'sample')}…`}
      </Button>
      {isOpen && <SamplesDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function SamplesDialog({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState(writeSamples(samples.value));
  const [problem, setProblem] = useState<string>();
  return (
    <Dialog title="Sample contexts" onClose={onClose} size="wide">
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const read = readSamples(text);
          if ('problem' in read) setProblem(read.problem);
          else {
            keepSamples(read.samples);
            onClose();
          }
        }}
      >
        <p class="muted">
          Each rule says how many of them it would match, before you save it. They are kept in this browser.
        </p>
        <Field
          label={`One JSON object a line, at most ${MOST_SAMPLES}`}
          hint={'{"user_id": "alice", "plan": "pro", "country": "DE"}'}
          error={problem}
        >
          <textarea
            class="mono"
            rows={8}
            autoFocus
            spellcheck={false}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setProblem(undefined);
            }}
          />
        </Field>
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary">
            Keep
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

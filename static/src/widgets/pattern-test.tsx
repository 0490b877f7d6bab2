import { useEffect, useId, useState } from 'preact/hooks';
import { tryConditions, type ConditionTrial } from '../api/conditions.js';
import { sentenceOf } from '../api/problem.js';
import type { Condition } from '../state/conditions.js';
import { Badge } from './small.js';

const TYPING_MS = 250;
const MOST_LINES = 20;

type Verdict = ConditionTrial | { readonly error: unknown };

/**
 * Tries a pattern on texts. The service does it, with the engine that evaluations use: it takes time in proportion to the
 * text whatever the pattern is, so that no pattern can make this page hang, and what it refuses here it refuses on saving.
 */
export function PatternTest({ condition, environment }: { condition: Condition; environment: string }) {
  const [text, setText] = useState('');
  const [verdict, setVerdict] = useState<Verdict>();
  const id = useId();
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, MOST_LINES);
  const asked = JSON.stringify([condition, lines, environment]);
  const isWritten = condition.values.length > 0;
  useEffect(() => {
    if (!isWritten) {
      setVerdict(undefined);
      return undefined;
    }
    let isCurrent = true;
    const timer = setTimeout(() => {
      const alone = { all: [{ ...condition, attribute: 'text' }] };
      tryConditions(
        environment,
        [alone],
        lines.map((line) => ({ text: line })),
      ).then(
        ([trial]) => isCurrent && setVerdict(trial),
        (error: unknown) => isCurrent && setVerdict({ error }),
      );
    }, TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [asked]);
  return (
    <div class="pattern-test">
      <label for={id}>Try the pattern</label>
      <textarea
        id={id}
        class="mono"
        rows={2}
        placeholder="Texts, one a line"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div role="status">{isWritten && verdict && <Outcome verdict={verdict} lines={lines} />}</div>
    </div>
  );
}

function Outcome({ verdict, lines }: { verdict: Verdict; lines: readonly string[] }) {
  if ('error' in verdict) return <p class="hint">It cannot be tried now. {sentenceOf(verdict.error)}</p>;
  if (!verdict.matches)
    return (
      <p class="error">
        Refused: {verdict.problems.map(({ message }) => message).join('; ')}. Patterns are RE2’s: without
        look-around and back-references, so that none can be slow.
      </p>
    );
  if (lines.length === 0) return <p class="hint">The pattern can be used.</p>;
  return (
    <ul class="pattern-lines">
      {lines.map((line, index) => (
        <li key={`${index} ${line}`}>
          <Badge tone={verdict.matches?.[index] ? 'good' : 'plain'}>
            {verdict.matches?.[index] ? 'holds' : 'does not hold'}
          </Badge>{' '}
          <code>{line}</code>
        </li>
      ))}
    </ul>
  );
}

import { diffLines } from '../state/line-diff.js';

const MARKS = { same: ' ', removed: '−', added: '+' } as const;
const SAID = { same: '', removed: 'removed: ', added: 'added: ' } as const;

/** Two values as JSON, and what leads from one to the other. */
export function JsonDiff({ before, after }: { before: unknown; after: unknown }) {
  const print = (value: unknown): string =>
    value === undefined || value === null ? '' : JSON.stringify(value, null, 2);
  const lines = diffLines(print(before), print(after)).filter(({ text }) => text !== '');
  if (lines.every(({ kind }) => kind === 'same')) return <p class="muted">No difference.</p>;
  return (
    <div class="diff" role="group" aria-label="Differences" tabIndex={0}>
      {lines.map(({ kind, text }, index) => (
        <div key={index} class={kind}>
          <span aria-hidden="true">{MARKS[kind]} </span>
          <span class="hidden">{SAID[kind]}</span>
          {text}
        </div>
      ))}
    </div>
  );
}

import { useState } from 'preact/hooks';
import type { AuditEntry } from '../api/audit.js';
import { revertFlag, type Consent } from '../api/flags.js';
import { BATCH } from '../api/own-requests.js';
import { sentenceOf } from '../api/problem.js';
import { revertSegment } from '../api/segments.js';
import { href, place } from '../router.js';
import { setWords } from '../state/audit-sets.js';
import { changeWords, spoken, type FieldChange } from '../state/audit-words.js';
import { environmentOf, isReasoned, isReasonedAnywhere } from '../state/environments.js';
import { SHARED_FIELDS } from '../state/flag-draft.js';
import { isAtLeast } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { clockOf, number, plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ConfirmChange } from '../widgets/confirm-change.js';
import { JsonDiff } from '../widgets/diff.js';
import { Badge, Copy, EnvironmentName, Time } from '../widgets/small.js';

const MOST_TOLD = 4;

/** One change: who, what, why, and in full when it is wanted. */
export function Entry({ entry, onRevert }: { entry: AuditEntry; onRevert: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const environment = environmentOf(entry.environment_key ?? '');
  const target =
    entry.action === 'deleted'
      ? undefined
      : entry.entity_type === 'flag'
        ? href(`/flags/${entry.entity_key}${environment ? `?env=${environment.key}` : ''}`)
        : entry.entity_type === 'segment'
          ? href(`/segments/${entry.entity_key}${environment ? `?env=${environment.key}` : ''}`)
          : undefined;
  const canRevert =
    (entry.entity_type === 'flag' || entry.entity_type === 'segment') &&
    entry.before !== null &&
    entry.after !== null &&
    environment !== undefined;
  const mayRevert = environment !== undefined && isAtLeast(environment.protected ? 'admin' : 'developer');
  const changed = entry.changes as Record<string, FieldChange>;
  const changes = Object.entries(changed);
  const words = changeWords(changed);
  return (
    <li class="entry">
      <span class="entry-time" title={entry.created_at}>
        {clockOf(entry.created_at)}
      </span>
      <div class="entry-body">
        <p>
          <Actor entry={entry} />
          {spoken(entry.action)} {spoken(entry.entity_type)}{' '}
          {target ? (
            <a class="mono" href={target}>
              {entry.entity_key}
            </a>
          ) : entry.entity_type === 'invite' && !entry.entity_key.includes('@') ? (
            'for whoever has the link'
          ) : (
            <code>{entry.entity_key}</code>
          )}
          {environment && (
            <>
              {' '}
              in <EnvironmentName name={environment.name} position={environment.position} locked={false} />
            </>
          )}
        </p>
        {entry.request_id?.startsWith(BATCH) && place.value.query.get('batch') === null && (
          <p>
            <a href={href(`/audit?batch=${entry.request_id}`)}>All that was changed together</a>
          </p>
        )}
        {entry.reason && <p class="entry-reason">“{entry.reason}”</p>}
        {entry.action === 'updated' && (
          <p class="muted entry-changes">
            {words.slice(0, MOST_TOLD).join(' · ')}
            {words.length > MOST_TOLD && ` · and ${words.length - MOST_TOLD} more`}
          </p>
        )}
        {isOpen && (
          <div class="entry-detail stack">
            <JsonDiff before={pick(changes, 'old')} after={pick(changes, 'new')} />
            <p class="muted">
              #{number(entry.position)} · <Time at={entry.created_at} /> · request{' '}
              <code>{entry.request_id ?? 'none'}</code> · seal <code>{entry.hash.slice(0, 12)}</code>
              <Copy text={entry.hash} label="Copy the seal" />
            </p>
          </div>
        )}
      </div>
      <div class="row entry-actions">
        {canRevert && (
          <Button
            small
            icon="undo"
            writes
            disabled={!mayRevert}
            title={mayRevert ? undefined : 'Not yours to change'}
            onClick={onRevert}
          >
            Revert
          </Button>
        )}
        <Button small tone="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Less' : 'Details'}
          <span class="hidden"> of change {entry.position}</span>
        </Button>
      </div>
    </li>
  );
}

const pick = (changes: readonly (readonly [string, FieldChange])[], side: 'old' | 'new'): unknown => {
  const there = changes.filter(([, change]) => change[side] !== null);
  // Nothing at all is no empty object: what was created was not `{}` before.
  return there.length === 0
    ? undefined
    : Object.fromEntries(there.map(([field, change]) => [field, change[side]]));
};

/** Who did it, and the way to all they did. */
function Actor({ entry: { actor } }: { entry: AuditEntry }) {
  return (
    <>
      {actor.id === null ? (
        <strong>{actor.name}</strong>
      ) : (
        <a
          class="actor"
          href={href(`/audit?by=${encodeURIComponent(actor.id)}`)}
          title={`All that ${actor.name} did`}
        >
          {actor.name}
        </a>
      )}{' '}
      {actor.type !== 'user' && (
        <>
          <Badge>{spoken(actor.type)}</Badge>{' '}
        </>
      )}
    </>
  );
}

/** What one request changed, told as one thing, and each change of it when it is wanted. */
export function ChangeSet({
  entries,
  onRevert,
}: {
  entries: readonly AuditEntry[];
  onRevert: (entry: AuditEntry) => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const [first] = entries;
  if (!first) return null;
  const places = [...new Set(entries.map((entry) => entry.environment_key))].flatMap(
    (key) => environmentOf(key ?? '') ?? [],
  );
  return (
    <>
      <li class="entry">
        <span class="entry-time" title={first.created_at}>
          {clockOf(first.created_at)}
        </span>
        <div class="entry-body">
          <p>
            <Actor entry={first} />
            {setWords(entries)}
            {places.length > 0 && ' in'}
            {places.map(({ key, name, position }) => (
              <span key={key}>
                {' '}
                <EnvironmentName name={name} position={position} locked={false} />
              </span>
            ))}
          </p>
          {first.reason && <p class="entry-reason">“{first.reason}”</p>}
        </div>
        <div class="row entry-actions">
          <Button small tone="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'Less' : plural(entries.length, 'change')}
            <span class="hidden"> from {first.position}</span>
          </Button>
        </div>
      </li>
      {isOpen && (
        <li>
          <ol class="entry-set">
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} onRevert={() => onRevert(entry)} />
            ))}
          </ol>
        </li>
      )}
    </>
  );
}

/** What a flag has once for all environments. */
const SHARED: readonly string[] = [...SHARED_FIELDS, 'archived'];

/** Asks before a change is taken back. */
export function RevertDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const environment = entry.environment_key ?? '';
  const changes = Object.entries(entry.changes as Record<string, FieldChange>);
  const back = changes.map(([field, { old, new: now }]) => [field, { old: now, new: old }] as const);
  const words = changeWords(Object.fromEntries(back));
  const isShared = entry.entity_type === 'flag' && changes.some(([field]) => SHARED.includes(field));
  const revert = async (consent: Consent): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const takeBack = entry.entity_type === 'flag' ? revertFlag : revertSegment;
      await takeBack(entry.entity_key, environment, entry.position, consent);
      toast(`${entry.entity_key} is what it was before change #${entry.position}`);
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <ConfirmChange
      title={`Revert change #${entry.position}?`}
      verb="Revert"
      wide
      typed={environmentOf(environment)?.protected ? entry.entity_key : undefined}
      isReasoned={isReasoned(environment) || (isShared && isReasonedAnywhere())}
      busy={isBusy}
      error={problem}
      onClose={onClose}
      onConfirm={(consent) => void revert(consent)}
    >
      <p>
        This makes a new change of <code>{entry.entity_key}</code>: what {entry.actor.name} changed becomes
        what it was.
      </p>
      <ul class="sentences">
        {words.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {/* Where the words do not say what it becomes, this does. */}
      <details open={words.some((sentence) => sentence.endsWith(' changed'))}>
        <summary>As JSON</summary>
        <div class="details-body">
          <JsonDiff before={pick(back, 'old')} after={pick(back, 'new')} />
        </div>
      </details>
    </ConfirmChange>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { listAudit, verifyAudit, type AuditEntry, type AuditQuery, type AuditVerdict } from '../api/audit.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { place, setQuery } from '../router.js';
import { auditCsv } from '../state/audit-export.js';
import { changeSets } from '../state/audit-sets.js';
import { spoken } from '../state/audit-words.js';
import { environments } from '../state/environments.js';
import { missed } from '../state/live.js';
import { toast } from '../state/toasts.js';
import { dayOf, number } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { Field } from '../widgets/field.js';
import { Badge, Empty, Failure, PageHead, Skeleton } from '../widgets/small.js';
import { TypedInput } from '../widgets/typed-input.js';
import { useNews } from '../widgets/use-news.js';
import { ChangeSet, Entry, RevertDialog } from './audit-entry.js';

const PAGE = 50;
const EXPORT_PAGE = 200;
const MOST_EXPORTED = 10_000;

const TYPES = ['flag', 'segment', 'environment', 'user', 'invite', 'api_key'] as const;
const ACTIONS = ['created', 'updated', 'deleted', 're_randomised', 'revoked', 'exposed', 'accepted'] as const;

function queryOf(asked: URLSearchParams): AuditQuery {
  const day = (name: string): string | undefined => {
    const value = asked.get(name);
    return value !== null && /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined;
  };
  const [type, action, key, environment, batch, by] = ['type', 'action', 'key', 'env', 'batch', 'by'].map(
    (name) => asked.get(name) ?? '',
  );
  const [since, until] = [day('since'), day('until')];
  const after =
    until === undefined ? undefined : new Date(new Date(`${until}T00:00:00`).getTime() + 86_400_000);
  return {
    ...(TYPES.some((each) => each === type) ? { entity_type: type as (typeof TYPES)[number] } : {}),
    ...(ACTIONS.some((each) => each === action) ? { action: action as (typeof ACTIONS)[number] } : {}),
    ...(key ? { entity_key: key } : {}),
    ...(environment ? { environment_key: environment } : {}),
    ...(batch ? { request_id: batch } : {}),
    ...(by ? { user_id: by } : {}),
    ...(since ? { since: new Date(`${since}T00:00:00`).toISOString() } : {}),
    ...(after ? { until: after.toISOString() } : {}),
  };
}

/** Who changed what, and the way back. */
export function Audit() {
  const asked = place.value.query;
  const key = asked.toString();
  const [entries, setEntries] = useState<readonly AuditEntry[]>();
  const [error, setError] = useState<unknown>();
  const [hasMore, setMore] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [reverted, setReverted] = useState<AuditEntry>();

  const load = (): void => {
    listAudit({ ...queryOf(asked), limit: PAGE }).then(
      (items) => {
        setEntries(items);
        setMore(items.length === PAGE);
        setError(undefined);
      },
      (failure: unknown) => {
        setError(failure);
        if (failure instanceof ApiProblem && failure.isOutage) missed();
      },
    );
  };
  useEffect(load, [key]);
  useNews(TYPES, load);

  const more = async (): Promise<void> => {
    const last = entries?.at(-1);
    if (!last) return;
    setBusy(true);
    try {
      const items = await listAudit({ ...queryOf(asked), limit: PAGE, before: last.position });
      setEntries([...(entries ?? []), ...items]);
      setMore(items.length === PAGE);
    } catch (failure) {
      toast(sentenceOf(failure), { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <PageHead
        title="Audit log"
        hint="Every change, who made it and why. Each entry is sealed to the one before."
      >
        <ChainBadge />
        <Export query={queryOf(asked)} />
      </PageHead>
      <Filters who={entries?.[0]?.actor.name} />
      {error !== undefined && !entries ? (
        <Failure error={error} onRetry={load} />
      ) : !entries ? (
        <Skeleton rows={8} />
      ) : entries.length === 0 ? (
        <Empty title={key === '' ? 'Nothing was changed yet' : 'No change fits'}>
          <p class="muted">{key === '' ? 'The first change will stand here.' : 'Loosen the filters.'}</p>
        </Empty>
      ) : (
        <>
          {byDay(entries).map(([day, items]) => (
            <section key={day} class="day" aria-label={day}>
              <h2>{day}</h2>
              <ol class="timeline">
                {changeSets(items).map((set) =>
                  set.entries.length > 1 && !asked.has('batch') ? (
                    <ChangeSet key={set.id} entries={set.entries} onRevert={setReverted} />
                  ) : (
                    set.entries.map((entry) => (
                      <Entry key={entry.id} entry={entry} onRevert={() => setReverted(entry)} />
                    ))
                  ),
                )}
              </ol>
            </section>
          ))}
          {hasMore && (
            <Button busy={isBusy} onClick={() => void more()}>
              Show older changes
            </Button>
          )}
        </>
      )}
      {reverted && <RevertDialog entry={reverted} onClose={() => setReverted(undefined)} />}
    </>
  );
}

function byDay(entries: readonly AuditEntry[]): (readonly [string, readonly AuditEntry[]])[] {
  const days = new Map<string, AuditEntry[]>();
  for (const entry of entries) {
    const day = dayOf(entry.created_at);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days];
}

function Filters({ who }: { who: string | undefined }) {
  const asked = place.value.query;
  const select = (name: string, label: string, options: readonly (readonly [string, string])[]) => (
    <Field label={label}>
      <select
        value={asked.get(name) ?? ''}
        onChange={(event) => setQuery({ [name]: event.currentTarget.value })}
      >
        <option value="">Any</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Field>
  );
  const date = (name: string, label: string) => (
    <Field label={label}>
      <input
        type="date"
        value={asked.get(name) ?? ''}
        onChange={(event) => setQuery({ [name]: event.currentTarget.value })}
      />
    </Field>
  );
  const batch = asked.get('batch');
  const by = asked.get('by');
  const name = who ?? by;
  return (
    <search class="filters">
      {by !== null && (
        <p class="filter-batch">
          Only what <strong>{name}</strong> did{' '}
          <Button small onClick={() => setQuery({ by: undefined })}>
            Show all
          </Button>
        </p>
      )}
      {batch !== null && (
        <p class="filter-batch">
          Only the batch <code>{batch}</code>{' '}
          <Button small onClick={() => setQuery({ batch: undefined })}>
            Show all
          </Button>
        </p>
      )}
      {select(
        'type',
        'What',
        TYPES.map((type) => [type, spoken(type)]),
      )}
      <Field label="Key">
        <TypedInput
          type="text"
          value={asked.get('key') ?? ''}
          spellcheck={false}
          onDone={(text) => setQuery({ key: text.trim() })}
        />
      </Field>
      {select(
        'action',
        'Done',
        ACTIONS.map((action) => [action, spoken(action)]),
      )}
      {select(
        'env',
        'Environment',
        (environments.value ?? []).map(({ key, name }) => [key, name]),
      )}
      {date('since', 'From')}
      {date('until', 'To')}
    </search>
  );
}

/** Whether the log is as it was written. */
function ChainBadge() {
  const [verdict, setVerdict] = useState<AuditVerdict>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    verifyAudit().then(setVerdict, (error: unknown) => setProblem(sentenceOf(error)));
  }, []);
  if (problem !== undefined) return <Badge tone="warn">not verified</Badge>;
  if (!verdict) return <Badge>verifying…</Badge>;
  if (verdict.valid) return <Badge tone="good">verified to #{number(verdict.checked)}</Badge>;
  const broken = verdict.first_broken as { position?: number } | null;
  return <Badge tone="bad">broken at #{number(broken?.position ?? 0)}</Badge>;
}

function Export({ query }: { query: AuditQuery }) {
  const [progress, setProgress] = useState<number>();
  const save = async (kind: 'csv' | 'json'): Promise<void> => {
    const entries: AuditEntry[] = [];
    try {
      for (;;) {
        setProgress(entries.length);
        const last = entries.at(-1);
        const page = await listAudit({
          ...query,
          limit: EXPORT_PAGE,
          ...(last ? { before: last.position } : {}),
        });
        entries.push(...page);
        if (page.length < EXPORT_PAGE || entries.length >= MOST_EXPORTED) break;
      }
      const text = kind === 'csv' ? auditCsv(entries) : JSON.stringify(entries, null, 2);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(
        new Blob([text], { type: kind === 'csv' ? 'text/csv' : 'application/json' }),
      );
      link.download = `vexil-audit.${kind}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      if (entries.length >= MOST_EXPORTED)
        toast(`The newest ${number(entries.length)} are exported. Filter by time for older ones.`);
    } catch (error) {
      toast(sentenceOf(error), { tone: 'bad' });
    } finally {
      setProgress(undefined);
    }
  };
  return (
    <>
      <Button small busy={progress !== undefined} onClick={() => void save('csv')}>
        {progress === undefined ? 'Export CSV' : `${number(progress)}…`}
      </Button>
      <Button small busy={progress !== undefined} onClick={() => void save('json')}>
        Export JSON
      </Button>
    </>
  );
}

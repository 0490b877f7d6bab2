import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { Consent } from '../api/flags.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import {
  deleteSegment,
  readSegment,
  updateSegment,
  type Segment,
  type SegmentUpdate,
} from '../api/segments.js';
import { guardLeaving, href, navigate, place } from '../router.js';
import { environmentOf, environments } from '../state/environments.js';
import { cannotWrite } from '../state/health.js';
import { changedSegmentFields, segmentDraft, type SegmentDraft } from '../state/segment-draft.js';
import { isAtLeast } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { plural } from '../state/wording.js';
import { Button, LinkButton } from '../widgets/button.js';
import { ConfirmChange } from '../widgets/confirm-change.js';
import { JsonDiff } from '../widgets/diff.js';
import { EnvironmentTabs } from '../widgets/environment-tabs.js';
import { Copy, Empty, Failure, Notice, PageHead, Skeleton, Time } from '../widgets/small.js';
import { useLoaded } from '../widgets/use-loaded.js';
import { useNews } from '../widgets/use-news.js';
import { SegmentForm } from './segment-form.js';
import { UsedBy } from './segment-used-by.js';

/** Who is in a segment, in one environment. */
export function SegmentPage({ segmentKey }: { segmentKey: string }) {
  const environment = environmentOf(place.value.query.get('env') ?? '') ?? environments.value?.[0];
  if (!environment) return <Empty title="There is no environment yet" />;
  return <InEnvironment key={environment.key} segmentKey={segmentKey} environment={environment.key} />;
}

function InEnvironment({ segmentKey, environment }: { segmentKey: string; environment: string }) {
  const loaded = useLoaded(`${environment}/${segmentKey}`, () => readSegment(segmentKey, environment));
  const [draft, setDraft] = useState<SegmentDraft>();
  const [seen, setSeen] = useState<Segment>();
  const [asked, setAsked] = useState<'save' | 'delete'>();
  const [leaving, setLeaving] = useState<() => void>();
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const { value: segment } = loaded;
  const base = seen && segmentDraft(seen);
  const changed = base && draft ? changedSegmentFields(base, draft) : [];
  const isDirty = changed.length > 0;
  useEffect(() => {
    // What is being edited is kept; what somebody else saved meanwhile is said below.
    if (segment && !isDirty) {
      setSeen(segment);
      setDraft(segmentDraft(segment));
    }
  }, [segment]);
  useLayoutEffect(
    () =>
      guardLeaving((proceed) => {
        if (!isDirty) return true;
        setLeaving(() => proceed);
        return false;
      }),
    [isDirty],
  );
  useNews(['segment'], (activity) => {
    if (!activity || activity.entity_key === segmentKey) loaded.reload();
  });

  const here = environmentOf(environment);
  const tabs = (
    <EnvironmentTabs current={environment} to={(env) => href(`/segments/${segmentKey}?env=${env}`)} />
  );
  if (loaded.error !== undefined)
    return loaded.error instanceof ApiProblem && loaded.error.status === 404 ? (
      <>
        <PageHead title={segmentKey} />
        {tabs}
        <Empty title={`This segment is not in ${here?.name ?? environment}`}>
          <p>
            <LinkButton to={href(`/segments?env=${environment}`)}>All segments there</LinkButton>
          </p>
        </Empty>
      </>
    ) : (
      <Failure error={loaded.error} onRetry={loaded.reload} isWhole />
    );
  if (!segment || !draft || !seen || !base) return <Skeleton rows={5} />;

  const role = here?.protected ? 'admin' : 'developer';
  const mayEdit = isAtLeast(role) && cannotWrite.value === undefined;
  const isStale = segment.version !== seen.version;
  const save = async (consent: Consent): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const update = Object.fromEntries(changed.map((field) => [field, draft[field]])) as SegmentUpdate;
      const saved = await updateSegment(segmentKey, environment, update, seen.version, consent);
      setSeen(saved);
      setDraft(segmentDraft(saved));
      loaded.set(saved);
      setAsked(undefined);
      toast(`${segmentKey} is saved`);
    } catch (error) {
      setProblem(error);
      setAsked(undefined);
      if (error instanceof ApiProblem && error.isStale) loaded.reload();
    } finally {
      setBusy(false);
    }
  };
  const remove = async (consent: Consent): Promise<void> => {
    try {
      await deleteSegment(segmentKey, environment, segment.version, consent);
      setDraft(base);
      toast(`${segmentKey} is deleted`);
      setTimeout(() => navigate(`/segments?env=${environment}`));
    } catch (error) {
      setProblem(error);
      setAsked(undefined);
    }
  };

  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={href(`/segments?env=${environment}`)}>Segments</a> <span aria-hidden="true">/</span>
      </nav>
      <PageHead
        title={
          <span class="row">
            <code class="title-key">{segment.key}</code>
            <Copy text={segment.key} label="Copy the key" />
          </span>
        }
        hint={
          <>
            {segment.name} · changed <Time at={segment.updated_at} />
          </>
        }
      >
        <LinkButton small icon="history" to={href(`/audit?type=segment&key=${segment.key}`)}>
          History
        </LinkButton>
      </PageHead>
      {tabs}
      {isStale && isDirty && (
        <Notice tone="warn" role="alert">
          <p>
            Somebody saved version {segment.version} while you edit version {seen.version}. Nothing of yours
            is lost.
          </p>
          <JsonDiff before={base} after={segmentDraft(segment)} />
          <div class="row">
            <Button
              small
              onClick={() => {
                const mine = Object.fromEntries(changed.map((field) => [field, draft[field]]));
                setDraft({ ...segmentDraft(segment), ...mine });
                setSeen(segment);
                setProblem(undefined);
              }}
            >
              Keep mine
            </Button>
            <Button
              small
              onClick={() => {
                setSeen(segment);
                setDraft(segmentDraft(segment));
                setProblem(undefined);
              }}
            >
              Take theirs
            </Button>
          </div>
        </Notice>
      )}
      {!isAtLeast(role) && (
        <Notice icon="lock">
          {isAtLeast('developer')
            ? `${here?.name ?? environment} is protected: only admins change it.`
            : 'You are a viewer: you see everything and change nothing.'}
        </Notice>
      )}
      {problem !== undefined && !(problem instanceof ApiProblem && problem.isStale) && (
        <Notice tone="bad" role="alert">
          {problem instanceof ApiProblem && problem.errors.length > 0 ? (
            <ul>
              {problem.errors.map(({ path, message }) => (
                <li key={path + message}>
                  <code>{path}</code> {message}
                </li>
              ))}
            </ul>
          ) : (
            sentenceOf(problem)
          )}
        </Notice>
      )}
      {segment.warnings.map(({ path, message }) => (
        <Notice key={path} tone="warn">
          {message}
        </Notice>
      ))}
      <SegmentForm
        segment={segment}
        draft={draft}
        mayEdit={mayEdit}
        onEdit={(change) => setDraft({ ...draft, ...change })}
      />
      <UsedBy segment={segment} onDelete={() => setAsked('delete')} />
      {isDirty && (
        <div class="save-bar" role="region" aria-label="Unsaved changes">
          <strong>{plural(changed.length, 'change')}</strong>
          <span class="muted save-words">not saved yet</span>
          <span class="spacer" />
          <Button small tone="quiet" onClick={() => setDraft(base)}>
            Discard
          </Button>
          <Button
            small
            tone="primary"
            writes
            busy={isBusy}
            disabled={!mayEdit || isStale}
            onClick={() => setAsked('save')}
          >
            Review and save
          </Button>
        </div>
      )}
      {asked === 'save' && (
        <ConfirmChange
          title={`Save ${segmentKey}?`}
          verb="Save"
          wide
          typed={here?.protected ? segmentKey : undefined}
          isReasoned={here?.require_reason ?? false}
          busy={isBusy}
          onClose={() => setAsked(undefined)}
          onConfirm={(consent) => void save(consent)}
        >
          <JsonDiff
            before={Object.fromEntries(changed.map((field) => [field, base[field]]))}
            after={Object.fromEntries(changed.map((field) => [field, draft[field]]))}
          />
        </ConfirmChange>
      )}
      {asked === 'delete' && (
        <ConfirmChange
          title={`Delete ${segmentKey} from ${here?.name ?? environment}?`}
          verb="Delete"
          tone="danger"
          typed={segmentKey}
          isReasoned={here?.require_reason ?? false}
          onClose={() => setAsked(undefined)}
          onConfirm={(consent) => void remove(consent)}
        >
          <p>Its history stays. This cannot be undone.</p>
        </ConfirmChange>
      )}
      {leaving && (
        <ConfirmChange
          title="Leave without saving?"
          verb="Leave"
          isHarmless
          tone="danger"
          onClose={() => setLeaving(undefined)}
          onConfirm={() => {
            setLeaving(undefined);
            setDraft(base);
            leaving();
          }}
        >
          <p>What you changed here would be lost.</p>
        </ConfirmChange>
      )}
    </>
  );
}

import { useState } from 'preact/hooks';
import { createSegment, listSegments, type SegmentSummary } from '../api/segments.js';
import { href, navigate, place, setQuery } from '../router.js';
import { groupSentence } from '../state/conditions.js';
import { environmentOf, environments, isReasoned, isReasonedAnywhere } from '../state/environments.js';
import { isAtLeast } from '../state/session.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { EnvironmentTabs } from '../widgets/environment-tabs.js';
import { Field } from '../widgets/field.js';
import { FormDialog } from '../widgets/form-dialog.js';
import { ReasonField } from '../widgets/reason-field.js';
import { Badge, Empty, Failure, PageHead, Pager, Skeleton, Time } from '../widgets/small.js';
import { useAsked } from '../widgets/use-asked.js';
import { useLoaded } from '../widgets/use-loaded.js';
import { useNews } from '../widgets/use-news.js';
import { keyFrom } from './new-flag.js';

const PAGE = 50;

/** Named sets of users, one environment at a time. */
export function Segments() {
  const all = environments.value ?? [];
  const environment = environmentOf(place.value.query.get('env') ?? '') ?? all[0];
  const search = place.value.query.get('q') ?? '';
  const skip = Number(place.value.query.get('skip') ?? 0) || 0;
  const [isNew, setNew] = useAsked('new');
  const key = environment?.key ?? '';
  const list = useLoaded(`${key}|${search}|${skip}`, () =>
    listSegments({ environment_key: key, ...(search ? { q: search } : {}), skip, limit: PAGE }),
  );
  useNews(['segment', 'flag'], list.reload);
  if (!environment) return <Empty title="There is no environment yet" />;
  const mayEdit = isAtLeast(environment.protected ? 'admin' : 'developer');
  return (
    <>
      <PageHead title="Segments" hint="Sets of users that rules can name, so that you say who they are once.">
        <input
          type="search"
          class="narrow"
          aria-label="Search segments"
          placeholder="Search"
          defaultValue={search}
          onInput={(event) => setQuery({ q: event.currentTarget.value, skip: undefined })}
        />
        <Button
          tone="primary"
          icon="plus"
          writes
          disabled={!mayEdit}
          title={mayEdit ? undefined : `Not yours to change in ${environment.name}`}
          onClick={() => setNew(true)}
        >
          New segment
        </Button>
      </PageHead>
      <EnvironmentTabs current={environment.key} to={(env) => href(`/segments?env=${env}`)} />
      {list.error !== undefined && !list.value ? (
        <Failure error={list.error} onRetry={list.reload} />
      ) : !list.value ? (
        <Skeleton rows={5} />
      ) : list.value.items.length === 0 ? (
        <Empty title={search ? 'No segment fits' : 'No segment yet'}>
          <p class="muted">
            {search
              ? 'Try fewer words.'
              : 'A segment such as “beta users” lists people, or says by conditions who is in it. Rules of any flag can use it.'}
          </p>
          <p>
            {search ? (
              <Button onClick={() => setQuery({ q: undefined, skip: undefined })}>Show all segments</Button>
            ) : (
              <Button tone="primary" icon="plus" writes disabled={!mayEdit} onClick={() => setNew(true)}>
                Make a segment
              </Button>
            )}
          </p>
        </Empty>
      ) : (
        <div class="table">
          <table>
            <caption class="hidden">Segments in {environment.name}</caption>
            <thead>
              <tr>
                <th scope="col">Segment</th>
                <th scope="col">Who is in it</th>
                <th scope="col">Used by</th>
                <th scope="col">Changed</th>
              </tr>
            </thead>
            <tbody>
              {list.value.items.map((segment) => (
                <Row key={segment.key} segment={segment} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.value && (
        <Pager
          skip={skip}
          limit={PAGE}
          total={list.value.total}
          onMove={(to) => setQuery({ skip: to ? String(to) : undefined })}
        />
      )}
      {isNew && mayEdit && (
        <NewSegment
          environment={environment.key}
          onClose={() => setNew(false)}
          onMade={(made) => navigate(`/segments/${made}?env=${environment.key}`)}
        />
      )}
    </>
  );
}

function Row({ segment }: { segment: SegmentSummary }) {
  const { flags, segments } = segment.used_by;
  const users = [
    flags.length > 0 && plural(flags.length, 'flag'),
    segments.length > 0 && plural(segments.length, 'segment'),
  ]
    .filter(Boolean)
    .join(', ');
  return (
    <tr>
      <th scope="row" class="flag-cell">
        <span class="flag-key">
          <a href={href(`/segments/${segment.key}?env=${segment.environment_key}`)}>{segment.key}</a>
        </span>
        {segment.name !== segment.key && <span class="flag-name">{segment.name}</span>}
        {segment.warnings.length > 0 && (
          <span class="tags">
            <Badge tone="warn">{segment.warnings[0]?.message}</Badge>
          </span>
        )}
      </th>
      <td>
        {segment.included_count > 0 && <div>{plural(segment.included_count, 'listed user')}</div>}
        {segment.excluded_count > 0 && <div>without {plural(segment.excluded_count, 'user')}</div>}
        {segment.conditions && <div class="muted">{groupSentence(segment.conditions)}</div>}
        {segment.included_count === 0 && !segment.conditions && <span class="muted">nobody yet</span>}
      </td>
      <td>
        <span class="card-word">used by </span>
        {users === '' ? <span class="muted">nothing</span> : users}
      </td>
      <td>
        <span class="card-word">changed </span>
        <Time at={segment.updated_at} />
      </td>
    </tr>
  );
}

function NewSegment({
  environment,
  onClose,
  onMade,
}: {
  environment: string;
  onClose: () => void;
  onMade: (key: string) => void;
}) {
  const [name, setName] = useState('');
  const [key, setKey] = useState<string>();
  const [isEverywhere, setEverywhere] = useState(false);
  const theKey = key ?? keyFrom(name);
  const mayEverywhere = (environments.value ?? []).every((each) =>
    isAtLeast(each.protected ? 'admin' : 'developer'),
  );
  const [reason, setReason] = useState('');
  const mustExplain = isEverywhere ? isReasonedAnywhere() : isReasoned(environment);
  const submit = async (): Promise<void> => {
    await createSegment({
      key: theKey,
      name,
      ...(isEverywhere ? {} : { environment_key: environment }),
      ...(mustExplain ? { reason: reason.trim() } : {}),
    });
    onMade(theKey);
  };
  return (
    <FormDialog
      title="New segment"
      verb="Create segment"
      isReady={theKey !== '' && name.trim() !== '' && (!mustExplain || reason.trim() !== '')}
      placed={['key', 'name']}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <Field label="Name" error={errorOf('name')}>
            <input
              type="text"
              required
              autoFocus
              maxLength={200}
              value={name}
              placeholder="Beta users"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </Field>
          <Field label="Key" hint="What rules name it by. It never changes." error={errorOf('key')}>
            <input
              type="text"
              class="mono"
              required
              maxLength={100}
              spellcheck={false}
              value={theKey}
              onInput={(event) => setKey(event.currentTarget.value)}
            />
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={isEverywhere}
              disabled={!mayEverywhere}
              onChange={(event) => setEverywhere(event.currentTarget.checked)}
            />
            In every environment; each has its own members
          </label>
          {mustExplain && <ReasonField value={reason} onInput={setReason} />}
        </>
      )}
    </FormDialog>
  );
}

import { useState } from 'preact/hooks';
import {
  createApiKey,
  listApiKeys,
  revokeApiKey,
  type ApiKey,
  type ApiKeyKind,
  type NewApiKey,
} from '../api/api-keys.js';
import type { Role } from '../api/people.js';
import { environmentOf, environments } from '../state/environments.js';
import { isAtLeast } from '../state/session.js';
import { absoluteTime, plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { ConfirmEnd } from '../widgets/confirm-end.js';
import { Dialog } from '../widgets/dialog.js';
import { Field } from '../widgets/field.js';
import { FormDialog } from '../widgets/form-dialog.js';
import { ListTable } from '../widgets/list-table.js';
import {
  Badge,
  CodeBlock,
  Empty,
  EnvironmentName,
  Failure,
  PageHead,
  Pager,
  Skeleton,
  Time,
} from '../widgets/small.js';
import { useAsked } from '../widgets/use-asked.js';
import { useLoaded } from '../widgets/use-loaded.js';
import { useNews } from '../widgets/use-news.js';

const PAGE = 50;
const KINDS: readonly (readonly [ApiKeyKind, string, string])[] = [
  ['server', 'Server', 'Reads everything of one environment. For programs that you run.'],
  ['client', 'Client', 'Sees values of client-visible flags only. For browsers and apps.'],
  ['admin', 'Admin', 'Changes flags with a role of its own. For scripts and CI.'],
];

/** What programs call with. */
export function ApiKeys() {
  const [skip, setSkip] = useState(0);
  const list = useLoaded(`keys|${skip}`, () => listApiKeys(skip, PAGE));
  const [isNew, setNew] = useAsked('new');
  const [made, setMade] = useState<NewApiKey>();
  const [revoked, setRevoked] = useState<ApiKey>();
  useNews(['api_key'], list.reload);
  if (!isAtLeast('admin'))
    return (
      <>
        <PageHead title="API keys" />
        <Empty title="For admins">
          <p class="muted">Admins make and revoke keys. Ask one of them for a key for your program.</p>
        </Empty>
      </>
    );
  return (
    <>
      <PageHead title="API keys" hint={list.value ? plural(list.value.total, 'key') : ' '}>
        <Button tone="primary" icon="plus" writes onClick={() => setNew(true)}>
          New key
        </Button>
      </PageHead>
      {list.error !== undefined && !list.value ? (
        <Failure error={list.error} onRetry={list.reload} />
      ) : !list.value ? (
        <Skeleton rows={4} />
      ) : list.value.items.length === 0 ? (
        <Empty title="No key yet">
          <p class="muted">Your programs ask with a key. Its secret is shown once, when it is made.</p>
          <p>
            <Button tone="primary" icon="plus" writes onClick={() => setNew(true)}>
              Make a key
            </Button>
          </p>
        </Empty>
      ) : (
        <ListTable caption="API keys" columns={['Key', 'Kind', 'For', 'Last used', 'Ends']}>
          {list.value.items.map((key) => (
            <Row key={key.id} apiKey={key} onRevoke={() => setRevoked(key)} />
          ))}
        </ListTable>
      )}
      {list.value && <Pager skip={skip} limit={PAGE} total={list.value.total} onMove={setSkip} />}
      {isNew && (
        <NewKey
          onClose={() => setNew(false)}
          onMade={(key) => {
            setNew(false);
            setMade(key);
            list.reload();
          }}
        />
      )}
      {made && <Secret made={made} onClose={() => setMade(undefined)} />}
      {revoked && (
        <ConfirmEnd
          title={`Revoke ${revoked.name}?`}
          verb="Revoke"
          said={`${revoked.name} is revoked`}
          onEnd={(reason) => revokeApiKey(revoked.id, reason)}
          onClose={(isOver) => {
            setRevoked(undefined);
            if (isOver) list.reload();
          }}
        >
          <p>Programs that call with it are refused, within a second. This cannot be undone.</p>
        </ConfirmEnd>
      )}
    </>
  );
}

function Row({ apiKey: key, onRevoke }: { apiKey: ApiKey; onRevoke: () => void }) {
  const environment = environmentOf(key.environment_key ?? '');
  const expires = key.expires_at;
  const used = key.last_used_at;
  const isRevoked = key.revoked_at !== null;
  const isOver = expires !== null && new Date(expires).getTime() < Date.now();
  return (
    <tr>
      <th scope="row">
        {key.name}{' '}
        {isRevoked ? <Badge tone="bad">revoked</Badge> : isOver && <Badge tone="warn">ended</Badge>}
        <span class="flag-name">
          <code>{key.prefix.startsWith('vx_') ? `${key.prefix}…` : key.prefix}</code> by {key.created_by}
        </span>
      </th>
      <td>
        <Badge tone={key.kind === 'admin' ? 'warn' : 'plain'}>{key.kind}</Badge>
      </td>
      <td>
        {environment ? (
          <EnvironmentName name={environment.name} position={environment.position} locked={false} />
        ) : (
          <span>{key.role ?? key.environment_key ?? ''}</span>
        )}
      </td>
      <td>
        <span class="card-word">last used </span>
        {used === null ? <span class="muted">never</span> : <Time at={used} />}
      </td>
      <td>
        <span class="card-word">ends </span>
        {expires === null ? (
          <span class="muted">never</span>
        ) : (
          <span title={absoluteTime(expires)}>{expires.slice(0, 10)}</span>
        )}
      </td>
      <td class="row-actions">
        <Button small tone="danger" disabled={isRevoked} onClick={onRevoke}>
          Revoke
        </Button>
      </td>
    </tr>
  );
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: NewApiKey) => void }) {
  const all = environments.value ?? [];
  const [name, setName] = useState('');
  const [kind, setKind] = useState<ApiKeyKind>('server');
  const [environment, setEnvironment] = useState(all[0]?.key ?? '');
  const [role, setRole] = useState<Role>('developer');
  const [origins, setOrigins] = useState<readonly string[]>([]);
  const [ends, setEnds] = useState('');
  const submit = async (): Promise<void> => {
    onMade(
      await createApiKey({
        name,
        kind,
        ...(kind === 'admin' ? { role } : { environment_key: environment }),
        ...(kind === 'client' && origins.length > 0 ? { origins: [...origins] } : {}),
        ...(ends === '' ? {} : { expires_at: new Date(`${ends}T23:59:59`).toISOString() }),
      }),
    );
  };
  return (
    <FormDialog
      title="New API key"
      verb="Create key"
      isReady={name.trim() !== ''}
      onClose={onClose}
      onSubmit={submit}
    >
      {() => (
        <>
          <Field label="Name" hint="What it is for, so that you know it again.">
            <input
              type="text"
              required
              autoFocus
              maxLength={100}
              value={name}
              placeholder="Checkout service"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </Field>
          <fieldset class="stack kinds">
            <legend>Kind</legend>
            {KINDS.map(([value, label, hint]) => (
              <label key={value} class="kind">
                <input
                  type="radio"
                  name="kind"
                  value={value}
                  checked={kind === value}
                  onChange={() => setKind(value)}
                />
                <span>
                  <strong>{label}</strong>
                  <span class="hint">{hint}</span>
                </span>
              </label>
            ))}
          </fieldset>
          {kind === 'admin' ? (
            <Field label="Role">
              <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
                <option value="viewer">Viewer</option>
                <option value="developer">Developer</option>
                <option value="admin">Admin</option>
              </select>
            </Field>
          ) : (
            <Field label="Environment">
              <select value={environment} onChange={(event) => setEnvironment(event.currentTarget.value)}>
                {all.map((each) => (
                  <option key={each.key} value={each.key}>
                    {each.name}
                  </option>
                ))}
              </select>
            </Field>
          )}
          {kind === 'client' && (
            <Field label="Web origins that may use it" hint="Such as https://shop.example.com.">
              <ChipsInput values={origins} label="Origins" onChange={setOrigins} placeholder="https://…" />
            </Field>
          )}
          <Field label="Ends on (optional)">
            <input type="date" value={ends} onInput={(event) => setEnds(event.currentTarget.value)} />
          </Field>
        </>
      )}
    </FormDialog>
  );
}

function Secret({ made, onClose }: { made: NewApiKey; onClose: () => void }) {
  const [isStored, setStored] = useState(false);
  return (
    <Dialog
      title="Store this secret now"
      onClose={() => {
        if (isStored) onClose();
      }}
    >
      <p>It is shown only now: Vexil does not keep it. Whoever loses it makes a new key.</p>
      <CodeBlock text={made.secret} label="the secret" />
      <label class="check">
        <input
          type="checkbox"
          checked={isStored}
          onChange={(event) => setStored(event.currentTarget.checked)}
        />
        I have stored it
      </label>
      <div class="actions">
        <Button tone="primary" disabled={!isStored} onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}

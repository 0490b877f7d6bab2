import { useState } from 'preact/hooks';
import {
  createEnvironment,
  deleteEnvironment,
  updateEnvironment,
  type Environment,
} from '../api/environments.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { environments, loadEnvironments } from '../state/environments.js';
import { cannotWrite } from '../state/health.js';
import { isAtLeast } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { Button, IconButton } from '../widgets/button.js';
import { Field } from '../widgets/field.js';
import { FormDialog } from '../widgets/form-dialog.js';
import { ListTable } from '../widgets/list-table.js';
import { Badge, Copy, EnvironmentName, PageHead, Time } from '../widgets/small.js';
import { useAsked } from '../widgets/use-asked.js';
import { keyFrom } from './new-flag.js';

/** The places where flags have settings of their own. */
export function Environments() {
  const all = environments.value ?? [];
  const [isNew, setNew] = useAsked('new');
  const [asked, setAsked] = useState<{ kind: 'edit' | 'delete'; environment: Environment }>();
  const mayEdit = isAtLeast('admin') && cannotWrite.value === undefined;

  const move = async (index: number, by: -1 | 1): Promise<void> => {
    const next = [...all];
    const [moved] = next.splice(index, 1);
    if (!moved) return;
    next.splice(index + by, 0, moved);
    environments.value = next;
    try {
      for (const [at, each] of next.entries())
        if (each.position !== at + 1) await updateEnvironment(each.key, { position: at + 1 }, each.version);
    } catch (error) {
      toast(sentenceOf(error), { tone: 'bad' });
    }
    await loadEnvironments().catch(() => undefined);
  };

  return (
    <>
      <PageHead
        title="Environments"
        hint="Each has its own settings of every flag. Only admins change this list."
      >
        <Button
          tone="primary"
          icon="plus"
          disabled={!mayEdit}
          title={isAtLeast('admin') ? undefined : 'For admins'}
          onClick={() => setNew(true)}
        >
          New environment
        </Button>
      </PageHead>
      <ListTable
        caption="Environments"
        columns={['Environment', 'Protection', 'Revision', 'Changed']}
        numbers={['Revision']}
      >
        {all.map((environment, index) => (
          <tr key={environment.key}>
            <th scope="row">
              <EnvironmentName name={environment.name} position={environment.position} locked={false} />
              <span class="flag-name row">
                <code>{environment.key}</code>
                <Copy text={environment.key} label={`Copy ${environment.key}`} />
              </span>
              {environment.description && <span class="flag-name">{environment.description}</span>}
            </th>
            <td>
              {environment.protected ? <Badge tone="warn">protected</Badge> : <span class="muted">open</span>}
              {environment.require_reason && <p class="hint">Each change there needs a reason.</p>}
              {environment.protected && (
                <p class="hint">
                  Only admins change it.{' '}
                  {environment.confirm_changes ? 'The API asks people to name what they change.' : ''}
                </p>
              )}
            </td>
            <td class="number">
              <span class="card-word">revision </span>
              {environment.revision}
            </td>
            <td>
              <span class="card-word">changed </span>
              <Time at={environment.updated_at} />
            </td>
            <td class="row-actions">
              <IconButton
                label={`Move ${environment.name} up`}
                icon="up"
                disabled={!mayEdit || index === 0}
                onClick={() => void move(index, -1)}
              />
              <IconButton
                label={`Move ${environment.name} down`}
                icon="down"
                disabled={!mayEdit || index === all.length - 1}
                onClick={() => void move(index, 1)}
              />
              <IconButton
                label={`Edit ${environment.name}`}
                icon="edit"
                disabled={!mayEdit}
                onClick={() => setAsked({ kind: 'edit', environment })}
              />
              <IconButton
                label={`Delete ${environment.name}`}
                icon="trash"
                disabled={!mayEdit}
                onClick={() => setAsked({ kind: 'delete', environment })}
              />
            </td>
          </tr>
        ))}
      </ListTable>
      {asked?.kind === 'delete' && (
        <DeleteEnvironment environment={asked.environment} onClose={() => setAsked(undefined)} />
      )}
      {asked?.kind === 'edit' && (
        <EditEnvironment environment={asked.environment} onClose={() => setAsked(undefined)} />
      )}
      {isNew && mayEdit && <EditEnvironment environment={undefined} onClose={() => setNew(false)} />}
    </>
  );
}

function EditEnvironment({
  environment,
  onClose,
}: {
  environment: Environment | undefined;
  onClose: () => void;
}) {
  const [name, setName] = useState(environment?.name ?? '');
  const [key, setKey] = useState<string>();
  const [description, setDescription] = useState((environment?.description as string | null) ?? '');
  const [isProtected, setProtected] = useState(environment?.protected ?? false);
  const [isConfirmed, setConfirmed] = useState(environment?.confirm_changes ?? true);
  const [isReasoned, setReasoned] = useState(environment?.require_reason ?? false);
  const theKey = key ?? keyFrom(name).replace(/[._]/g, '-').slice(0, 50);
  const submit = async (): Promise<void> => {
    const fields = {
      name,
      description: (description === '' ? null : description) as never,
      protected: isProtected,
      confirm_changes: isConfirmed,
      require_reason: isReasoned,
    };
    if (environment) await updateEnvironment(environment.key, fields, environment.version);
    else await createEnvironment({ key: theKey, ...fields });
    await loadEnvironments();
    toast(`${name} is saved`);
    onClose();
  };
  return (
    <FormDialog
      title={environment ? `Edit ${environment.name}` : 'New environment'}
      verb={environment ? 'Save' : 'Create environment'}
      isReady={name.trim() !== ''}
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
              maxLength={100}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </Field>
          {!environment && (
            <Field label="Key" hint="What your code names it by. It never changes." error={errorOf('key')}>
              <input
                type="text"
                class="mono"
                required
                maxLength={50}
                spellcheck={false}
                value={theKey}
                onInput={(event) => setKey(event.currentTarget.value)}
              />
            </Field>
          )}
          <Field label="Description (optional)">
            <input
              type="text"
              maxLength={500}
              value={description}
              onInput={(event) => setDescription(event.currentTarget.value)}
            />
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={isProtected}
              onChange={(event) => setProtected(event.currentTarget.checked)}
            />
            Protected: only admins change things in it, and type what they change
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={isConfirmed}
              disabled={!isProtected}
              onChange={(event) => setConfirmed(event.currentTarget.checked)}
            />
            Typed over the API, too: as <code>confirm</code>
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={isReasoned}
              onChange={(event) => setReasoned(event.currentTarget.checked)}
            />
            Ask for a reason with every change
          </label>
        </>
      )}
    </FormDialog>
  );
}

function DeleteEnvironment({ environment, onClose }: { environment: Environment; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [isForced, setForced] = useState(false);
  return (
    <FormDialog
      title={`Delete ${environment.name}?`}
      verb="Delete"
      tone="danger"
      isReady={typed === environment.key}
      onClose={onClose}
      onSubmit={async () => {
        await deleteEnvironment(environment.key, isForced, environment.version);
        await loadEnvironments();
        toast(`${environment.name} is deleted`);
        onClose();
      }}
    >
      {(_, problem) => (
        <>
          <p>Programs that ask for flags there get their defaults. This cannot be undone.</p>
          {(isForced || (problem instanceof ApiProblem && problem.code === 'environment_in_use')) && (
            <label class="check">
              <input
                type="checkbox"
                checked={isForced}
                onChange={(event) => setForced(event.currentTarget.checked)}
              />
              Delete what is in it, too
            </label>
          )}
          <Field
            label={
              <>
                Type <code>{environment.key}</code> to confirm
              </>
            }
          >
            <input
              type="text"
              autoFocus
              autocomplete="off"
              spellcheck={false}
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </Field>
        </>
      )}
    </FormDialog>
  );
}

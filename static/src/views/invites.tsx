import { useState } from 'preact/hooks';
import { createInvite, listInvites, withdrawInvite, type Invite, type NewInvite } from '../api/invites.js';
import type { Role } from '../api/people.js';
import { linkOf, USUAL_VALIDITY, VALIDITIES } from '../state/invites.js';
import { ROLE_MAY, ROLES } from '../state/roles.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ConfirmEnd } from '../widgets/confirm-end.js';
import { Dialog } from '../widgets/dialog.js';
import { Field } from '../widgets/field.js';
import { FormDialog } from '../widgets/form-dialog.js';
import { ListTable } from '../widgets/list-table.js';
import { Badge, CopyButton, Deadline, Failure, Pager } from '../widgets/small.js';
import { useLoaded } from '../widgets/use-loaded.js';
import { useNews } from '../widgets/use-news.js';

const PAGE = 20;

const nameOf = ({ email, role }: Invite): string => (email === null ? `one ${role}` : email);

/** Who may come in, and has not yet. Nothing while there is nobody. */
export function OpenInvites() {
  const [skip, setSkip] = useState(0);
  const list = useLoaded(`invites|${skip}`, () => listInvites(skip, PAGE));
  const [withdrawn, setWithdrawn] = useState<Invite>();
  useNews(['invite', 'user'], list.reload);
  if (list.error !== undefined && !list.value) return <Failure error={list.error} onRetry={list.reload} />;
  if (!list.value || (list.value.total === 0 && !withdrawn)) return null;
  return (
    <section class="below" aria-labelledby="open-invitations">
      <h2 id="open-invitations">Open invitations</h2>
      <p class="muted">
        {plural(list.value.total, 'link')} that nobody has used yet. A lost one cannot be shown again:
        withdraw it, and invite anew.
      </p>
      <ListTable caption="Open invitations" columns={['For', 'Role', 'Invited by', 'Until']}>
        {list.value.items.map((invite) => (
          <tr key={invite.id}>
            <th scope="row">{invite.email ?? 'Whoever has the link'}</th>
            <td>
              <Badge tone={invite.role === 'admin' ? 'warn' : 'plain'}>{invite.role}</Badge>
            </td>
            <td>
              <span class="card-word">by </span>
              {invite.created_by}
            </td>
            <td>
              <span class="card-word">until </span>
              <Deadline at={invite.expires_at} />
            </td>
            <td class="row-actions">
              <Button
                small
                writes
                tone="danger"
                aria-label={`Withdraw the invitation for ${nameOf(invite)}`}
                onClick={() => setWithdrawn(invite)}
              >
                Withdraw
              </Button>
            </td>
          </tr>
        ))}
      </ListTable>
      <Pager skip={skip} limit={PAGE} total={list.value.total} onMove={setSkip} />
      {withdrawn && (
        <ConfirmEnd
          title={`Withdraw the invitation for ${nameOf(withdrawn)}?`}
          verb="Withdraw"
          said="The invitation is withdrawn"
          onEnd={(reason) => withdrawInvite(withdrawn.id, reason)}
          onClose={(isOver) => {
            setWithdrawn(undefined);
            if (isOver) list.reload();
          }}
        >
          <p>Its link is good for nothing from then on. Who used it already keeps the account.</p>
        </ConfirmEnd>
      )}
    </section>
  );
}

/** Asks whom to invite, and then shows the link. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<NewInvite>();
  return made ? <Link made={made} onClose={onClose} /> : <NewInvitation onClose={onClose} onMade={setMade} />;
}

function NewInvitation({ onClose, onMade }: { onClose: () => void; onMade: (made: NewInvite) => void }) {
  const [role, setRole] = useState<Role>('viewer');
  const [email, setEmail] = useState('');
  const [hours, setHours] = useState(USUAL_VALIDITY);
  const submit = async (): Promise<void> => {
    onMade(
      await createInvite({
        role,
        expires_in_hours: hours,
        ...(email.trim() === '' ? {} : { email: email.trim() }),
      }),
    );
  };
  return (
    <FormDialog title="Invite somebody" verb="Make the link" onClose={onClose} onSubmit={submit}>
      {(errorOf) => (
        <>
          <fieldset class="stack kinds">
            <legend>Role</legend>
            {ROLES.map(([value, label]) => (
              <label key={value} class="kind">
                <input
                  type="radio"
                  name="role"
                  value={value}
                  checked={role === value}
                  autoFocus={value === 'viewer'}
                  onChange={() => setRole(value)}
                />
                <span>
                  <strong>{label}</strong>
                  <span class="hint">{sentence(ROLE_MAY[value])}</span>
                </span>
              </label>
            ))}
          </fieldset>
          <Field
            label="E-mail (optional)"
            hint="Then only this address can be used. Vexil sends no mail: you send the link."
            error={errorOf('email')}
          >
            <input
              type="email"
              inputMode="email"
              autocomplete="off"
              maxLength={254}
              value={email}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          </Field>
          <Field label="Good for">
            <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
              {VALIDITIES.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </Field>
        </>
      )}
    </FormDialog>
  );
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

function Link({ made, onClose }: { made: NewInvite; onClose: () => void }) {
  const link = linkOf(made.path, location.origin);
  return (
    <Dialog title="Send this link" onClose={onClose}>
      <p>
        {made.email ?? 'Whoever uses it first'} comes in as <Badge tone="accent">{made.role}</Badge>, once.
        The link is good until <Deadline at={made.expires_at} />.
      </p>
      <code class="link-block">{link}</code>
      <p class="muted">It is shown only now: Vexil does not keep it.</p>
      <div class="actions">
        <Button onClick={onClose}>Done</Button>
        <CopyButton text={link} label="Copy the link" />
      </div>
    </Dialog>
  );
}

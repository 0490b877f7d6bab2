import { useState } from 'preact/hooks';
import { changeRole, listUsers, readSetup, setActive, type Role, type User } from '../api/people.js';
import { sentenceOf } from '../api/problem.js';
import { cannotWrite } from '../state/health.js';
import { ROLE_MAY, ROLES } from '../state/roles.js';
import { isAtLeast, user as me } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ConfirmChange } from '../widgets/confirm-change.js';
import { ListTable } from '../widgets/list-table.js';
import { Badge, Copy, Empty, Failure, Notice, PageHead, Pager, Skeleton, Time } from '../widgets/small.js';
import { useAsked } from '../widgets/use-asked.js';
import { useLoaded } from '../widgets/use-loaded.js';
import { useNews } from '../widgets/use-news.js';
import { InviteDialog, OpenInvites } from './invites.js';

const PAGE = 50;

type Asked = { readonly user: User } & ({ readonly role: Role } | { readonly isActive: boolean });

/** An invitation is good as long as who made it is an active admin. */
const endsInvitations = (asked: Asked): boolean =>
  asked.user.role === 'admin' && ('role' in asked ? asked.role !== 'admin' : !asked.isActive);

/** Who may come in, and what they may do. */
export function Users() {
  const [skip, setSkip] = useState(0);
  const list = useLoaded(`users|${skip}`, () => listUsers(skip, PAGE));
  const [asked, setAsked] = useState<Asked>();
  const [problem, setProblem] = useState<string>();
  const [isInviting, setInviting] = useAsked('new');
  const setup = useLoaded('setup', readSetup);
  useNews(['user'], list.reload);
  if (!isAtLeast('admin'))
    return (
      <>
        <PageHead title="Users">
          <Button tone="primary" icon="plus" disabled title="For admins" aria-describedby="why-not">
            Invite
          </Button>
        </PageHead>
        <Empty title="For admins">
          <p class="muted" id="why-not">
            Admins see who may come in, invite people, and change what they may. Ask one of them if you need
            another role.
          </p>
        </Empty>
      </>
    );
  const address = `${location.origin}/app/register`;
  const apply = async (reason: string | undefined): Promise<void> => {
    if (!asked) return;
    try {
      if ('role' in asked) await changeRole(asked.user.id, asked.role, reason);
      else await setActive(asked.user.id, asked.isActive, reason);
      toast(
        `${asked.user.email} is ${'role' in asked ? `${asked.role} now` : asked.isActive ? 'let in again' : 'disabled'}`,
      );
      setAsked(undefined);
      list.reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <>
      <PageHead title="Users" hint={list.value ? plural(list.value.total, 'account') : ' '}>
        <Button tone="primary" icon="plus" writes onClick={() => setInviting(true)}>
          Invite
        </Button>
      </PageHead>
      <Notice>
        {setup.value?.registration_open === false ? (
          'Registration is closed: people come in by invitation only.'
        ) : (
          <>
            Invite people with the role they need. Who registers at <code>{address}</code>{' '}
            <Copy text={address} label="Copy the address" /> begins as a viewer.
          </>
        )}
      </Notice>
      {list.error !== undefined && !list.value ? (
        <Failure error={list.error} onRetry={list.reload} />
      ) : !list.value ? (
        <Skeleton rows={5} />
      ) : (
        <ListTable caption="Users" columns={['Person', 'Role', 'Since']}>
          {list.value.items.map((each) => {
            const isMe = each.id === me.value?.id;
            return (
              <tr key={each.id}>
                <th scope="row">
                  {each.name} {isMe && <Badge tone="accent">you</Badge>}{' '}
                  {!each.is_active && <Badge tone="bad">disabled</Badge>}
                  <span class="flag-name">{each.email}</span>
                </th>
                <td>
                  <select
                    class="narrow"
                    aria-label={`Role of ${each.email}`}
                    value={each.role}
                    disabled={isMe || !each.is_active || cannotWrite.value !== undefined}
                    title={isMe ? 'Another admin changes yours' : undefined}
                    onChange={(event) => {
                      const role = event.currentTarget.value as Role;
                      event.currentTarget.value = each.role;
                      setProblem(undefined);
                      setAsked({ user: each, role });
                    }}
                  >
                    {ROLES.map(([role, label]) => (
                      <option key={role} value={role}>
                        {label}
                      </option>
                    ))}
                  </select>
                </td>
                <td>
                  <span class="card-word">since </span>
                  <Time at={each.created_at} />
                </td>
                <td class="row-actions">
                  <Button
                    small
                    writes
                    tone={each.is_active ? 'danger' : undefined}
                    disabled={isMe}
                    onClick={() => {
                      setProblem(undefined);
                      setAsked({ user: each, isActive: !each.is_active });
                    }}
                  >
                    {each.is_active ? 'Disable' : 'Let in'}
                  </Button>
                </td>
              </tr>
            );
          })}
        </ListTable>
      )}
      {list.value && <Pager skip={skip} limit={PAGE} total={list.value.total} onMove={setSkip} />}
      {/* Not before the people: it would be pushed down by them. */}
      {list.value && <OpenInvites />}
      {isInviting && <InviteDialog onClose={() => setInviting(false)} />}
      {asked && (
        <ConfirmChange
          title={
            'role' in asked
              ? `Make ${asked.user.name} ${asked.role}?`
              : asked.isActive
                ? `Let ${asked.user.name} in again?`
                : `Disable ${asked.user.name}?`
          }
          verb={'role' in asked ? 'Change role' : asked.isActive ? 'Let in' : 'Disable'}
          tone={'isActive' in asked && !asked.isActive ? 'danger' : 'primary'}
          error={problem}
          onClose={() => setAsked(undefined)}
          onConfirm={({ reason }) => void apply(reason)}
        >
          <p>
            {'role' in asked
              ? `An account that is ${asked.role} may ${ROLE_MAY[asked.role]}. ${asked.user.email} has to log in again.`
              : asked.isActive
                ? 'They can log in again, with the role they had.'
                : 'They are refused everywhere, at once, also where they are logged in.'}
            {endsInvitations(asked) && ' Open invitations that they made are withdrawn.'}
          </p>
        </ConfirmChange>
      )}
    </>
  );
}

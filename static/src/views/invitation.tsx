import { useEffect, useState } from 'preact/hooks';
import { lookAtInvite, type InviteOffer } from '../api/invites.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { place } from '../router.js';
import { tokenIn } from '../state/invites.js';
import { ROLE_MAY } from '../state/roles.js';
import { logOut, user } from '../state/session.js';
import { Button } from '../widgets/button.js';
import { Badge, Deadline, Empty, Notice, PageHead, Skeleton } from '../widgets/small.js';
import { EntranceForm } from './entrance-form.js';

const TITLE = 'Accept the invitation';

/** Where the link of an invitation leads: what it offers, and a new account. */
export function Invitation() {
  const token = tokenIn(place.value.fragment);
  useEffect(() => {
    document.title = `${TITLE} · Vexil`;
  }, []);
  return token === undefined ? (
    <>
      <h1>{TITLE}</h1>
      <Notice tone="warn" role="alert">
        The link is not complete. Copy all of it, up to its last character, or ask for a new one.
      </Notice>
      <ToLogin />
    </>
  ) : (
    <Offered key={token} token={token} />
  );
}

function Offered({ token }: { token: string }) {
  const [offer, setOffer] = useState<InviteOffer>();
  const [error, setError] = useState<unknown>();
  const load = (): void => {
    setError(undefined);
    lookAtInvite(token).then(setOffer, setError);
  };
  useEffect(load, []);
  if (offer)
    return (
      <>
        <h1>{TITLE}</h1>
        <p class="muted">
          Your role is <Badge tone="accent">{offer.role}</Badge>: you may {ROLE_MAY[offer.role]}.
        </p>
        <EntranceForm
          way="invite"
          page="/invite"
          verb="Create account"
          invited={{ token, email: offer.email }}
        />
        <p class="muted">
          The invitation is good until <Deadline at={offer.expires_at} />.
        </p>
        <ToLogin />
      </>
    );
  if (error === undefined)
    return (
      <>
        <h1>{TITLE}</h1>
        <Skeleton rows={3} />
      </>
    );
  const isGone = error instanceof ApiProblem && error.status === 404;
  return (
    <>
      <h1>{isGone ? 'This invitation is over' : TITLE}</h1>
      <Notice tone={isGone ? 'warn' : 'bad'} role="alert">
        {isGone
          ? 'It was used or withdrawn, or its time is up. Ask who invited you for a new one.'
          : sentenceOf(error)}
      </Notice>
      {!isGone && <Button onClick={load}>Try again</Button>}
      <ToLogin />
    </>
  );
}

const ToLogin = () => (
  <p class="muted">
    You have an account? <a href="/app/login">Log in</a>
  </p>
);

/** The same link, opened by somebody who is in already. */
export function InvitationForAnother() {
  return (
    <>
      <PageHead title="Invitation" />
      <Empty title="This invitation is for somebody new">
        <p class="muted">
          You are logged in as {user.value?.email}, and need none. To make another account with it, log out
          first.
        </p>
        <p>
          <Button icon="logout" onClick={logOut}>
            Log out and accept it
          </Button>
        </p>
      </Empty>
    </>
  );
}

import { useEffect } from 'preact/hooks';
import { path } from '../router.js';
import { lazy } from '../widgets/lazy.js';
import { Empty, PageHead } from '../widgets/small.js';

const Flags = lazy(async () => (await import('./flags.js')).Flags);
const FlagPage = lazy(async () => (await import('./flag.js')).FlagPage);
const Segments = lazy(async () => (await import('./segments.js')).Segments);
const SegmentPage = lazy(async () => (await import('./segment.js')).SegmentPage);
const Playground = lazy(async () => (await import('./playground.js')).Playground);
const Audit = lazy(async () => (await import('./audit.js')).Audit);
const Environments = lazy(async () => (await import('./environments.js')).Environments);
const ApiKeys = lazy(async () => (await import('./api-keys.js')).ApiKeys);
const Users = lazy(async () => (await import('./users.js')).Users);
const Start = lazy(async () => (await import('./start.js')).Start);
const InvitationForAnother = lazy(async () => (await import('./invitation.js')).InvitationForAnother);

const TITLES: Readonly<Record<string, string>> = {
  flags: 'Flags',
  segments: 'Segments',
  playground: 'Playground',
  audit: 'Audit log',
  environments: 'Environments',
  'api-keys': 'API keys',
  users: 'Users',
  start: 'Getting started',
  invite: 'Invitation',
};

/** The screen of the present place. */
export function Screen() {
  const [, first = '', second] = path.value.split('/');
  const key = second === undefined ? undefined : decode(second);
  useEffect(() => {
    document.title = `${key ?? TITLES[first] ?? 'Vexil'}${key === undefined && !(first in TITLES) ? '' : ' · Vexil'}`;
  }, [first, key]);
  switch (first) {
    case '':
    case 'login':
    case 'register':
    case 'flags':
      return key === undefined ? <Flags /> : <FlagPage key={key} flagKey={key} />;
    case 'segments':
      return key === undefined ? <Segments /> : <SegmentPage key={key} segmentKey={key} />;
    case 'playground':
      return <Playground />;
    case 'audit':
      return <Audit />;
    case 'environments':
      return <Environments />;
    case 'api-keys':
      return <ApiKeys />;
    case 'users':
      return <Users />;
    case 'start':
      return <Start />;
    case 'invite':
      return <InvitationForAnother />;
    default:
      return (
        <>
          <PageHead title="There is nothing here" />
          <Empty title="The address leads nowhere">
            <p>
              <a href="/app/flags">Go to all flags</a>
            </p>
          </Empty>
        </>
      );
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

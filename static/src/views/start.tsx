import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { listApiKeys } from '../api/api-keys.js';
import { hasAnswered } from '../api/evaluate.js';
import { readFlagTable, type FlagTableRow } from '../api/flags.js';
import { readUsage } from '../api/usage.js';
import { href } from '../router.js';
import { environments } from '../state/environments.js';
import { isAtLeast } from '../state/session.js';
import { LinkButton } from '../widgets/button.js';
import { Icon } from '../widgets/icon.js';
import { CodeBlock, PageHead } from '../widgets/small.js';
import { useNews } from '../widgets/use-news.js';

const ASK_EVERY_MS = 2_000;

/** The first three steps, each ticked when it is done. */
export function Start() {
  const [flag, setFlag] = useState<FlagTableRow>();
  const [hasKey, setHasKey] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const look = (): void => {
    readFlagTable({ limit: 1, sort: 'changed' }).then(
      ({ items }) => setFlag(items[0]),
      () => undefined,
    );
    if (isAtLeast('admin'))
      listApiKeys(0, 1).then(
        ({ total }) => setHasKey(total > 0),
        () => undefined,
      );
  };
  useEffect(look, []);
  useNews(['flag', 'api_key'], look);
  // Where it is on already, the answer shows it.
  const environment =
    flag?.environments.find((cell) => cell.is_enabled)?.environment_key ??
    environments.value?.[0]?.key ??
    'development';
  const key = flag?.key ?? 'new-checkout';
  useEffect(() => {
    if (isAsked) return undefined;
    const timer = setInterval(() => {
      wasAsked(flag?.key, environment).then(setAsked, () => undefined);
    }, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [isAsked, flag?.key, environment]);
  return (
    <>
      <PageHead title="Getting started" hint="From nothing to a flag that decides, in three steps." />
      <ol class="steps">
        <Step isDone={flag !== undefined} title="Make a flag">
          <p class="muted">
            It begins off, so nobody notices. Turn it on where you like, for everyone or for a share.
          </p>
          {flag ? (
            <a href={href(`/flags/${flag.key}`)}>
              Open <code>{flag.key}</code>
            </a>
          ) : (
            <LinkButton tone="primary" icon="plus" to={href('/flags?new=1')}>
              New flag
            </LinkButton>
          )}
        </Step>
        <Step isDone={hasKey} title="Make a key for your program">
          <p class="muted">A server key reads the flags of one environment. Its secret is shown once.</p>
          {hasKey ? (
            <a href={href('/api-keys')}>All API keys</a>
          ) : isAtLeast('admin') ? (
            <LinkButton icon="key" to={href('/api-keys?new=1')}>
              New key
            </LinkButton>
          ) : (
            <p>Ask an admin for one.</p>
          )}
        </Step>
        <Step isDone={isAsked} title="Ask for the flag">
          <p class="muted">From a shell first; then from your code, with any OpenFeature SDK.</p>
          <CodeBlock
            label="the request"
            text={`curl "${location.origin}/evaluate/${key}?environment_key=${environment}&user_id=alice"`}
          />
          <p>
            Or look at every step of the answer in the{' '}
            <a href={href(`/playground?flag=${key}&env=${environment}`)}>playground</a>.
          </p>
        </Step>
      </ol>
    </>
  );
}

/** By the instance that is asked at once, for any flag; by the others a few seconds later, for the one that is shown. */
async function wasAsked(key: string | undefined, environment: string): Promise<boolean> {
  if (await hasAnswered()) return true;
  if (key === undefined) return false;
  return (await readUsage([key], environment)).some(({ total }) => total > 0);
}

function Step({ isDone, title, children }: { isDone: boolean; title: string; children: ComponentChildren }) {
  return (
    <li class={isDone ? 'panel start-step done' : 'panel start-step'}>
      <span class="start-mark">{isDone && <Icon name="check" />}</span>
      <div class="stack">
        <h2>
          {title}
          {isDone && <span class="hidden"> (done)</span>}
        </h2>
        {children}
      </div>
    </li>
  );
}

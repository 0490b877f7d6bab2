import { useEffect, useMemo } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { updateFlag } from '../api/flags.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { guardLeaving, href, navigate, place } from '../router.js';
import { environmentOf, environments, isReasonedAnywhere } from '../state/environments.js';
import { serveWords, SHARED_FIELDS } from '../state/flag-draft.js';
import { FlagEditor } from '../state/flag-editor.js';
import { cannotWrite } from '../state/health.js';
import { isAtLeast } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { placeWords, plural } from '../state/wording.js';
import { Button, LinkButton } from '../widgets/button.js';
import { Dialog } from '../widgets/dialog.js';
import { EnvironmentTabs } from '../widgets/environment-tabs.js';
import { lazy } from '../widgets/lazy.js';
import { Badge, Copy, Empty, Failure, Notice, PageHead, Skeleton, Time } from '../widgets/small.js';
import { Switch } from '../widgets/switch.js';
import { FlagTargetingPanels } from './flag-targeting.js';

const ConfirmToggle = lazy(async () => (await import('./confirm-toggle.js')).ConfirmToggle, null);
const FlagDefinitionPanel = lazy(async () => (await import('./flag-definition.js')).FlagDefinitionPanel);
const FlagUsage = lazy(async () => (await import('./flag-usage.js')).FlagUsage);
const ReviewDialog = lazy(async () => (await import('./flag-review.js')).ReviewDialog, null);
const ConflictNotice = lazy(async () => (await import('./flag-review.js')).ConflictNotice, null);

/** A flag: what it does in one environment, what it is in all of them, and the way from one state to the next. */
export function FlagPage({ flagKey }: { flagKey: string }) {
  const all = environments.value ?? [];
  const wanted = place.value.query.get('env');
  const environment = all.find(({ key }) => key === wanted) ?? all[0];
  const asked = place.value.query.get('tab');
  const tab = asked === 'usage' || asked === 'definition' ? asked : 'targeting';
  if (!environment) return <Empty title="There is no environment yet" />;
  return (
    <InEnvironment
      key={`${environment.key}/${flagKey}`}
      flagKey={flagKey}
      environment={environment.key}
      tab={tab}
    />
  );
}

function InEnvironment({ flagKey, environment, tab }: { flagKey: string; environment: string; tab: string }) {
  const editor = useMemo(() => new FlagEditor(flagKey, environment), [flagKey, environment]);
  const asked = useSignal<'save' | 'diff' | 'toggle' | undefined>(undefined);
  const leaving = useSignal<(() => void) | undefined>(undefined);
  useEffect(() => {
    void editor.load();
    return editor.follow();
  }, [editor]);
  useEffect(() => {
    const stay = (event: BeforeUnloadEvent): void => {
      if (editor.isDirty) event.preventDefault();
    };
    addEventListener('beforeunload', stay);
    const release = guardLeaving((proceed) => {
      if (!editor.isDirty) return true;
      leaving.value = proceed;
      return false;
    });
    return () => {
      removeEventListener('beforeunload', stay);
      release();
    };
  }, [editor]);

  const { value: flag } = editor.flag;
  const { value: draft } = editor.draft;
  if (editor.error.value !== undefined) {
    const { value: error } = editor.error;
    return error instanceof ApiProblem && error.status === 404 ? (
      <Missing flagKey={flagKey} environment={environment} />
    ) : (
      <Failure error={error} onRetry={() => void editor.load()} isWhole />
    );
  }
  if (!flag || !draft) return <Skeleton rows={6} label="Loading the flag" />;

  const here = environmentOf(environment);
  const isLocked = here?.protected ?? false;
  const isReasoned = here?.require_reason ?? false;
  const asksFirst = isLocked || isReasoned;
  const role = isLocked ? 'admin' : 'developer';
  const why = !isAtLeast('developer')
    ? 'You are a viewer: you see everything and change nothing.'
    : !isAtLeast(role)
      ? `${here?.name ?? environment} is protected: only admins change it.`
      : undefined;
  const mayEdit = why === undefined && cannotWrite.value === undefined && flag.archived_at === null;
  const { changes } = editor;
  const isShared = changes.some((field) => SHARED_FIELDS.includes(field));

  const toggle = async (consent: {
    reason?: string | undefined;
    confirm?: string | undefined;
  }): Promise<void> => {
    // It may have been saved since what asks for this was drawn.
    const before = editor.flag.value ?? flag;
    const isEnabled = !before.is_enabled;
    editor.flag.value = { ...before, is_enabled: isEnabled };
    asked.value = undefined;
    try {
      const saved = await updateFlag(
        flagKey,
        environment,
        { is_enabled: isEnabled },
        before.version,
        consent,
      );
      editor.accept(saved);
      toast(`${flagKey} is ${isEnabled ? 'on' : 'off'} in ${environment}`, {
        action: {
          label: 'Undo',
          run: () =>
            void updateFlag(flagKey, environment, { is_enabled: !isEnabled }, saved.version, {
              reason: 'Undo',
              ...(isLocked ? { confirm: flagKey } : {}),
            }).then(
              (undone) => editor.accept(undone),
              (error: unknown) => toast(sentenceOf(error), { tone: 'bad' }),
            ),
        },
      });
    } catch (error) {
      editor.flag.value = before;
      if (error instanceof ApiProblem && error.isStale) await editor.load();
      toast(sentenceOf(error), { tone: 'bad' });
    }
  };

  const save = async (
    consent: {
      reason?: string | undefined;
      confirm?: string | undefined;
    },
    isTurnedOn = false,
  ): Promise<void> => {
    if (await editor.save(consent, isTurnedOn)) {
      asked.value = undefined;
      if (isTurnedOn) toast(`${flagKey} is saved, and on in ${environment}`);
      else if (flag.is_enabled) toast(`${flagKey} is saved`);
      else
        toast(
          `${flagKey} is saved, and still off in ${environment}`,
          asksFirst ? {} : { action: { label: 'Turn on', run: () => void toggle({}) } },
        );
    } else if (editor.conflict.value || editor.problem.value) asked.value = undefined;
  };

  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href="/app/flags">Flags</a> <span aria-hidden="true">/</span>
      </nav>
      <PageHead
        title={
          <span class="row">
            <code class="title-key">{flag.key}</code>
            <Copy text={flag.key} label="Copy the key" />
          </span>
        }
        hint={
          <>
            {flag.name !== flag.key && <>{flag.name} · </>}changed <Time at={flag.updated_at} />
          </>
        }
      >
        {flag.archived_at && <Badge tone="warn">archived</Badge>}
        <LinkButton small icon="play" to={href(`/playground?flag=${flag.key}&env=${environment}`)}>
          Try it
        </LinkButton>
        <LinkButton small icon="history" to={href(`/audit?type=flag&key=${flag.key}`)}>
          History
        </LinkButton>
      </PageHead>

      <Tabs flagKey={flagKey} environment={environment} tab={tab} />
      {editor.conflict.value && <ConflictNotice editor={editor} />}
      {editor.changedBy.value && (
        <Notice tone="info" role="status">
          {editor.changedBy.value} has just changed this flag. It is shown as it is now.
        </Notice>
      )}
      {why && <Notice icon="lock">{why}</Notice>}
      {editor.problem.value && <ProblemNotice problem={editor.problem.value} />}
      {flag.warnings.length > 0 && (
        <Notice tone="warn">
          <ul>
            {flag.warnings.map(({ path, message }) => (
              <li key={path + message}>
                {placeWords(path)} {message}
              </li>
            ))}
          </ul>
        </Notice>
      )}

      {tab === 'definition' ? (
        <FlagDefinitionPanel editor={editor} draft={draft} flag={flag} mayEdit={mayEdit} role={role} />
      ) : tab === 'usage' ? (
        <FlagUsage flag={flag} environment={environment} />
      ) : (
        <>
          <section class={flag.is_enabled ? 'panel kill on' : 'panel kill'}>
            <Switch
              label={`${flag.key} in ${here?.name ?? environment}`}
              isOn={flag.is_enabled && flag.archived_at === null}
              disabled={!mayEdit}
              describedBy="kill-words"
              onToggle={() => {
                if (asksFirst) asked.value = 'toggle';
                else void toggle({});
              }}
            />
            <div id="kill-words">
              <strong>
                {flag.is_enabled ? 'On' : 'Off'} in {here?.name ?? environment}
              </strong>
              <p class="muted">
                {flag.is_enabled
                  ? 'Turning it off takes effect at once, whatever is below.'
                  : flag.off_variant === null
                    ? "Everyone gets the caller's default. Below is what it does once it is on."
                    : `Everyone gets ${flag.off_variant}. Below is what it does once it is on.`}
              </p>
            </div>
          </section>
          <FlagTargetingPanels editor={editor} flag={flag} draft={draft} mayEdit={mayEdit} />
        </>
      )}

      {editor.isDirty && (
        <div class="save-bar" role="region" aria-label="Unsaved changes">
          <strong>{plural(changes.length, 'change')}</strong>
          <span class="muted save-words">not saved yet</span>
          <span class="spacer" />
          <Button small tone="quiet" onClick={() => editor.discard()}>
            Discard
          </Button>
          {!asksFirst && (
            <Button small onClick={() => (asked.value = 'diff')}>
              View changes
            </Button>
          )}
          <Button
            small
            tone="primary"
            busy={editor.isSaving.value}
            disabled={!mayEdit || editor.conflict.value !== undefined}
            onClick={() => {
              if (asksFirst || isShared) asked.value = 'save';
              else void save({});
            }}
          >
            {asksFirst ? 'Review and save' : 'Save'}
          </Button>
        </div>
      )}

      {asked.value === 'toggle' && (
        <ConfirmToggle
          asked={{
            key: flag.key,
            environment,
            name: here?.name ?? environment,
            isEnabled: !flag.is_enabled,
            summary:
              flag.default_serve === null ? 'as before' : serveWords(flag.default_serve, flag.off_variant),
          }}
          onClose={() => (asked.value = undefined)}
          onConfirm={(consent) => void toggle(consent)}
        />
      )}
      {(asked.value === 'save' || asked.value === 'diff') && (
        <ReviewDialog
          editor={editor}
          isSaving={asked.value === 'save'}
          typed={isLocked ? flag.key : undefined}
          isReasoned={isReasoned || (isShared && isReasonedAnywhere())}
          onClose={() => (asked.value = undefined)}
          mayTurnOn={!flag.is_enabled && tab === 'targeting'}
          name={here?.name ?? environment}
          onSave={(consent, isTurnedOn) => void save(consent, isTurnedOn)}
        />
      )}
      {leaving.value && (
        <Dialog title="Leave without saving?" onClose={() => (leaving.value = undefined)}>
          <p>Your {plural(changes.length, 'change')} stay here as a draft until you close this tab.</p>
          <div class="actions">
            <Button onClick={() => (leaving.value = undefined)}>Stay</Button>
            <Button
              tone="primary"
              onClick={() => {
                const { value: proceed } = leaving;
                leaving.value = undefined;
                proceed?.();
              }}
            >
              Leave
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

const SIDES = [
  ['targeting', 'Targeting'],
  ['usage', 'Usage'],
  ['definition', 'Definition'],
] as const;

function Tabs({ flagKey, environment, tab }: { flagKey: string; environment: string; tab: string }) {
  const to = (env: string, side: string): string =>
    href(`/flags/${flagKey}?env=${env}${side === 'targeting' ? '' : `&tab=${side}`}`);
  return (
    <div class="tabs-row">
      <EnvironmentTabs
        current={tab === 'definition' ? undefined : environment}
        to={(env) => to(env, tab === 'usage' ? tab : 'targeting')}
      />
      <nav class="tabs" aria-label="Sides of the flag">
        {SIDES.map(([side, label]) => (
          <a key={side} href={to(environment, side)} aria-current={tab === side ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
    </div>
  );
}

function ProblemNotice({ problem }: { problem: ApiProblem }) {
  return (
    <Notice tone="bad" role="alert">
      <p>{problem.errors.length > 1 ? 'It was not saved:' : `It was not saved. ${sentenceOf(problem)}`}</p>
      {problem.errors.length > 1 && (
        <ul>
          {problem.errors.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

function Missing({ flagKey, environment }: { flagKey: string; environment: string }) {
  return (
    <>
      <PageHead title={flagKey} />
      <Tabs flagKey={flagKey} environment={environment} tab="targeting" />
      <Empty title={`${flagKey} is not in ${environmentOf(environment)?.name ?? environment}`}>
        <p class="muted">It may be in another environment, or it was deleted.</p>
        <p>
          <Button onClick={() => navigate('/flags')}>Show all flags</Button>
        </p>
      </Empty>
    </>
  );
}

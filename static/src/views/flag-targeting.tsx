import type { ComponentChildren } from 'preact';
import type { Flag } from '../api/flags.js';
import { serveWords, type FlagDraft } from '../state/flag-draft.js';
import type { FlagEditor } from '../state/flag-editor.js';
import { movedShare, type ServeDraft } from '../state/rollout.js';
import { percent } from '../state/wording.js';
import { Field } from '../widgets/field.js';
import { lazy } from '../widgets/lazy.js';
import { ServeEditor } from '../widgets/serve-editor.js';
import { Notice } from '../widgets/small.js';
import { useSegments } from '../widgets/use-segments.js';
import { Prerequisites } from './flag-prerequisites.js';
import { Rules } from './flag-rules.js';
import { TargetList } from './flag-targets.js';
import { Unreadable } from './unreadable.js';

const FlagAffected = lazy(async () => (await import('./flag-affected.js')).FlagAffected, null);

interface Props {
  readonly editor: FlagEditor;
  readonly flag: Flag;
  readonly draft: FlagDraft;
  readonly mayEdit: boolean;
}

/** Who gets what in one environment, in the order in which it is decided. */
export function FlagTargetingPanels({ editor, flag, draft, mayEdit }: Props) {
  const nameable = useSegments(flag.environment_key);
  const isBoolean = flag.value_type === 'boolean';
  const serve = draft.default_serve;
  return (
    <fieldset class="plain" disabled={!mayEdit}>
      <legend class="hidden">Targeting</legend>
      <Panel step={1} title="Prerequisites" hint="Other flags that must come first.">
        <Prerequisites editor={editor} draft={draft} flag={flag} />
      </Panel>
      <Panel step={2} title="Listed users" hint="They get what you say here, whatever the rules say.">
        {draft.targets === null ? (
          <Unreadable />
        ) : (
          draft.variants.map(({ key }) => (
            <TargetList key={key} variant={key} targets={draft.targets ?? []} editor={editor} />
          ))
        )}
      </Panel>
      <Panel step={3} title="Rules" hint="From the top down: the first that matches a user decides.">
        {draft.rules === null ? (
          <Unreadable />
        ) : (
          <Rules
            editor={editor}
            draft={draft}
            rules={draft.rules}
            nameable={nameable}
            environment={flag.environment_key}
            isBoolean={isBoolean}
            mayEdit={mayEdit}
          />
        )}
      </Panel>
      <Panel
        step={4}
        title="Everyone else"
        hint={serve === null ? undefined : sentence(serveWords(serve, draft.off_variant))}
      >
        {serve === null ? (
          <Unreadable />
        ) : (
          <div class="stack">
            <ServeEditor
              label="Everyone else"
              serve={serve}
              variants={draft.variants}
              isBoolean={isBoolean}
              off={draft.off_variant}
              onChange={(default_serve) => editor.edit({ default_serve })}
            />
            <Moves flag={flag} draft={draft} serve={serve} />
          </div>
        )}
      </Panel>
      <Panel
        step={5}
        title="While it is off"
        hint="The off variant. Whoever is outside of a rollout gets it too, and everyone while a prerequisite fails."
      >
        <Field label="Off variant" hideLabel>
          <select
            value={draft.off_variant ?? ''}
            onChange={({ currentTarget: { value } }) =>
              editor.edit({ off_variant: value === '' ? null : value })
            }
          >
            <option value="">Nothing: the caller's default</option>
            {draft.variants.map(({ key }) => (
              <option key={key} value={key}>
                {key}
              </option>
            ))}
          </select>
        </Field>
      </Panel>
    </fieldset>
  );
}

const sentence = (text: string): string => `Serve ${text}.`;

function Panel({
  step,
  title,
  hint,
  children,
}: {
  step: number;
  title: string;
  hint?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <section class="panel step" aria-labelledby={`step-${step}`}>
      <div class="panel-head">
        <div>
          <h2 id={`step-${step}`}>{title}</h2>
          {hint && <p class="muted">{hint}</p>}
        </div>
      </div>
      <div>{children}</div>
    </section>
  );
}

/** Who would notice a changed serve, of all who come as far as here. */
function Moves({ flag, draft, serve }: { flag: Flag; draft: FlagDraft; serve: ServeDraft }) {
  if (flag.default_serve === null) return null;
  const moved = movedShare(flag.default_serve, serve, flag.off_variant, draft.off_variant);
  if (moved === 0) return <FlagAffected flag={flag} />;
  if (!flag.is_enabled)
    return (
      <Notice icon="users" role="status">
        Nobody notices while the flag is off. Once it is on, this is what they get.
      </Notice>
    );
  return (
    <Notice icon="users" role="status">
      {moved === undefined
        ? 'This draws everyone anew: anybody may get something else than before.'
        : `${percent(moved)} of those who come as far as here would get something else than now. Nobody else moves.`}
      <FlagAffected flag={flag} share={moved} />
    </Notice>
  );
}

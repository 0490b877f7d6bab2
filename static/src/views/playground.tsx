import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { explainFlags } from '../api/evaluate.js';
import { readFlagTable } from '../api/flags.js';
import { sentenceOf } from '../api/problem.js';
import { place } from '../router.js';
import { explainDraft, hasDraft } from '../state/draft-evaluation.js';
import { environments } from '../state/environments.js';
import { FIRST, fromFragment, parseContext, toFragment, type Scene } from '../state/playground-scene.js';
import { tabStorage } from '../state/storage.js';
import { toast } from '../state/toasts.js';
import { Button } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { ContextEditor } from '../widgets/context-editor.js';
import { Field } from '../widgets/field.js';
import { Empty, PageHead } from '../widgets/small.js';
import { useNews } from '../widgets/use-news.js';
import { attributesOf } from './trace.js';
import { Results, Why, type Result } from './playground-answers.js';

/** Asks what somebody would get, and shows why. */
export function Playground() {
  const all = environments.value ?? [];
  const shared = useMemo(() => fromFragment(place.value.fragment), []);
  const kept = useMemo(() => tabStorage.read('playground') as Scene | undefined, []);
  const asked = place.value.query;
  const askedFlag = asked.get('flag');
  const askedEnvironment = asked.get('env');
  const [contexts, setContexts] = useState<readonly string[]>(shared?.contexts ?? kept?.contexts ?? [FIRST]);
  const [flags, setFlags] = useState<readonly string[]>(
    shared?.flags ?? (askedFlag ? [askedFlag] : (kept?.flags ?? [])),
  );
  const [where, setWhere] = useState<readonly string[]>(
    shared?.environments ??
      (askedEnvironment ? [askedEnvironment] : (kept?.environments ?? all.slice(0, 1).map(({ key }) => key))),
  );
  const [usesDraft, setUsesDraft] = useState(true);
  const [results, setResults] = useState<readonly Result[]>([]);
  const [shown, setShown] = useState<string>();
  const [known, setKnown] = useState<readonly string[]>([]);
  const turn = useRef(0);
  const parsed = contexts.map(parseContext);
  const drafts = where.flatMap((environment) =>
    flags.filter((flag) => hasDraft(environment, flag)).map((flag) => `${environment} ${flag}`),
  );
  const scene: Scene = { contexts, flags, environments: where };

  useEffect(() => {
    readFlagTable({ limit: 200 }).then(
      ({ items }) => setKnown(items.map(({ key }) => key)),
      () => undefined,
    );
  }, []);

  const run = async (): Promise<void> => {
    const mine = (turn.current += 1);
    const cells = await Promise.all(
      where.flatMap((environment) =>
        parsed.flatMap((context, index) =>
          'value' in context ? [ask(environment, context.value, index)] : [],
        ),
      ),
    );
    if (mine !== turn.current) return;
    const next = cells.flat();
    setResults(next);
    setShown((before) => (next.some(({ id }) => id === before) ? before : next[0]?.id));
  };

  const ask = async (
    environment: string,
    context: Record<string, unknown>,
    index: number,
  ): Promise<Result[]> => {
    const cell = (flag: string, isDraft: boolean): Omit<Result, 'evaluation' | 'problem'> => ({
      id: `${flag} ${environment} ${index} ${isDraft}`,
      flag,
      environment,
      context: index,
      isDraft,
    });
    const draftsHere = usesDraft ? flags.filter((flag) => hasDraft(environment, flag)) : [];
    const [saved, unsaved] = await Promise.all([
      explainFlags(environment, flags, context).then(
        ({ flags: answers, reason }) =>
          flags.map((flag, at): Result => {
            const evaluation = answers[at];
            return evaluation
              ? { ...cell(flag, false), evaluation }
              : { ...cell(flag, false), problem: reason ?? 'There is no answer.' };
          }),
        (error: unknown) =>
          flags.map((flag): Result => ({ ...cell(flag, false), problem: sentenceOf(error) })),
      ),
      Promise.all(
        draftsHere.map((flag) =>
          explainDraft(environment, flag, context).then(
            (evaluation): Result => ({ ...cell(flag, true), evaluation }),
            (error: unknown): Result => ({ ...cell(flag, true), problem: sentenceOf(error) }),
          ),
        ),
      ),
    ]);
    return [...saved, ...unsaved];
  };

  useEffect(() => {
    tabStorage.write('playground', scene);
    if (flags.length === 0 || where.length === 0) {
      setResults([]);
      return undefined;
    }
    const timer = setTimeout(() => void run(), 150);
    return () => clearTimeout(timer);
  }, [JSON.stringify(scene), usesDraft]);
  useNews(['flag', 'segment'], () => void run());

  const attributes = [
    ...new Set(['user_id', ...results.flatMap(({ evaluation }) => attributesOf(evaluation?.trace))]),
  ];
  const open = results.find(({ id }) => id === shown);
  return (
    <>
      <PageHead title="Playground" hint="What would somebody get, and why? Asking here changes nothing.">
        <Button
          icon="link"
          onClick={() => {
            const address = `${location.origin}/app/playground#${toFragment(scene)}`;
            void navigator.clipboard
              .writeText(address)
              .then(() => toast('The address is copied. It holds the contexts.'));
          }}
        >
          Share
        </Button>
      </PageHead>
      <div class="playground">
        <section class="panel stack" aria-label="What to ask">
          <Field label="Flags">
            <ChipsInput
              values={flags}
              onChange={setFlags}
              label="Flags"
              placeholder="Flag key"
              list="known-flags"
            />
          </Field>
          <datalist id="known-flags">
            {known.map((key) => (
              <option key={key} value={key} />
            ))}
          </datalist>
          <fieldset class="choice">
            <legend>Environments</legend>
            {all.map(({ key, name }) => (
              <label key={key}>
                <input
                  type="checkbox"
                  checked={where.includes(key)}
                  onChange={(event) =>
                    setWhere(
                      event.currentTarget.checked
                        ? all.map((each) => each.key).filter((each) => each === key || where.includes(each))
                        : where.filter((each) => each !== key),
                    )
                  }
                />
                <span>{name}</span>
              </label>
            ))}
          </fieldset>
          {contexts.map((text, index) => (
            <div key={`${index} of ${contexts.length}`}>
              <ContextEditor
                label={contexts.length === 1 ? 'Context' : `Context ${index + 1}`}
                hint={index === 0 ? 'Who asks: user_id, and any attributes that rules speak of.' : undefined}
                text={text}
                attributes={attributes}
                onChange={(next) => setContexts(contexts.map((each, at) => (at === index ? next : each)))}
              />
              {contexts.length > 1 && (
                <Button
                  small
                  tone="quiet"
                  icon="trash"
                  onClick={() => setContexts(contexts.filter((_, at) => at !== index))}
                >
                  Remove context {index + 1}
                </Button>
              )}
            </div>
          ))}
          <div class="row">
            {contexts.length < 4 && (
              <Button small icon="plus" onClick={() => setContexts([...contexts, contexts.at(-1) ?? FIRST])}>
                Compare with another context
              </Button>
            )}
          </div>
          {drafts.length > 0 && (
            <label class="check">
              <input
                type="checkbox"
                checked={usesDraft}
                onChange={(event) => setUsesDraft(event.currentTarget.checked)}
              />
              Also by my unsaved changes
            </label>
          )}
        </section>
        <div class="stack">
          {flags.length === 0 ? (
            <Empty title="Name a flag">
              <p class="muted">Then change the context and watch the answer follow, step by step.</p>
            </Empty>
          ) : (
            <>
              <Results results={results} contexts={contexts.length} shown={shown} onShow={setShown} />
              {open && <Why result={open} context={contexts[open.context] ?? '{}'} />}
            </>
          )}
        </div>
      </div>
    </>
  );
}

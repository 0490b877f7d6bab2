import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { explainFlags, type Evaluation } from '../api/evaluate.js';
import { readFlagTable } from '../api/flags.js';
import { sentenceOf } from '../api/problem.js';
import { place } from '../router.js';
import { explainDraft, hasDraft } from '../state/draft-evaluation.js';
import { environments } from '../state/environments.js';
import { tabStorage } from '../state/storage.js';
import { shortJson } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { Field } from '../widgets/field.js';
import { Badge, CodeBlock, Empty, Notice, PageHead } from '../widgets/small.js';
import { toast } from '../state/toasts.js';
import { useNews } from '../widgets/use-news.js';
import { Trace } from './trace.js';

interface Scene {
  readonly contexts: readonly string[];
  readonly flags: readonly string[];
  readonly environments: readonly string[];
}

interface Result {
  readonly id: string;
  readonly flag: string;
  readonly environment: string;
  /** Which context, from 0. */
  readonly context: number;
  readonly isDraft: boolean;
  readonly evaluation?: Evaluation;
  readonly problem?: string;
}

const FIRST = JSON.stringify({ user_id: 'alice', plan: 'pro', country: 'DE' }, null, 2);

/** The fragment holds the scene, so that it can be shared and is in nobody's log. */
function fromFragment(): Partial<Scene> | undefined {
  const { fragment } = place.value;
  if (fragment === '') return undefined;
  try {
    const bytes = Uint8Array.from(atob(fragment.replaceAll('-', '+').replaceAll('_', '/')), (each) =>
      each.charCodeAt(0),
    );
    return JSON.parse(new TextDecoder().decode(bytes)) as Partial<Scene>;
  } catch {
    return undefined;
  }
}

function toFragment(scene: Scene): string {
  const bytes = new TextEncoder().encode(JSON.stringify(scene));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function parseContext(text: string): { value: Record<string, unknown> } | { problem: string } {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { problem: 'It must be an object: {"user_id": "alice"}' };
    return { value: value as Record<string, unknown> };
  } catch (error) {
    return { problem: `This is no JSON yet: ${error instanceof Error ? error.message : ''}` };
  }
}

/** Asks what somebody would get, and shows why. */
export function Playground() {
  const all = environments.value ?? [];
  const shared = useMemo(fromFragment, []);
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
          {contexts.map((text, index) => {
            const read = parsed[index];
            return (
              <div key={index} class="context">
                <Field
                  label={contexts.length === 1 ? 'Context' : `Context ${index + 1}`}
                  hint={
                    index === 0 ? 'Who asks: user_id, and any attributes that rules speak of.' : undefined
                  }
                  error={read && 'problem' in read ? read.problem : undefined}
                >
                  <textarea
                    class="mono"
                    rows={6}
                    spellcheck={false}
                    value={text}
                    onInput={({ currentTarget: { value } }) =>
                      setContexts(contexts.map((each, at) => (at === index ? value : each)))
                    }
                  />
                </Field>
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
            );
          })}
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

function Results({
  results,
  contexts,
  shown,
  onShow,
}: {
  results: readonly Result[];
  contexts: number;
  shown: string | undefined;
  onShow: (id: string) => void;
}) {
  const names = new Map((environments.value ?? []).map(({ key, name }) => [key, name]));
  return (
    <div class="table">
      <table>
        <caption class="hidden">Answers</caption>
        <thead>
          <tr>
            <th scope="col">Flag</th>
            <th scope="col">Environment</th>
            {contexts > 1 && <th scope="col">Context</th>}
            <th scope="col">Variant</th>
            <th scope="col">Value</th>
            <th scope="col">
              <span class="hidden">Why</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {results.map((result) => (
            <tr key={result.id} class={result.id === shown ? 'selected' : undefined}>
              <th scope="row" class="mono">
                {result.flag} {result.isDraft && <Badge tone="accent">draft</Badge>}
              </th>
              <td>{names.get(result.environment) ?? result.environment}</td>
              {contexts > 1 && <td>{result.context + 1}</td>}
              {result.evaluation ? (
                <>
                  <td>
                    <Badge
                      tone={
                        result.evaluation.reason_code === 'ERROR'
                          ? 'bad'
                          : result.evaluation.enabled
                            ? 'good'
                            : 'plain'
                      }
                    >
                      {result.evaluation.variant ?? 'none'}
                    </Badge>
                  </td>
                  <td class="mono">{shortJson(result.evaluation.value)}</td>
                </>
              ) : (
                <td colSpan={2} class="error">
                  {result.problem}
                </td>
              )}
              <td class="row-actions">
                <Button
                  small
                  aria-label={`Why does ${result.flag} answer so in ${result.environment}, context ${result.context + 1}${result.isDraft ? ', draft' : ''}?`}
                  aria-pressed={result.id === shown}
                  onClick={() => onShow(result.id)}
                >
                  Why?
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Why({ result, context }: { result: Result; context: string }) {
  const { evaluation } = result;
  if (!evaluation) return <Notice tone="bad">{result.problem}</Notice>;
  const compact = ((): string => {
    try {
      return JSON.stringify(JSON.parse(context));
    } catch {
      return '{}';
    }
  })();
  const curl = `curl -X POST "${location.origin}/evaluate/${result.flag}" -H "Content-Type: application/json" -d '${JSON.stringify(
    { environment_key: result.environment, context: JSON.parse(compact) as unknown },
  ).replaceAll("'", "'\\''")}'`;
  const sdk = `import { OpenFeature } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';

await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl: '${location.origin}', headers: [['X-API-Key', process.env.VEXIL_KEY]] }),
);
const details = await OpenFeature.getClient().get${typeName(evaluation.value)}Details(
  '${result.flag}', ${JSON.stringify(defaultFor(evaluation.value))},
  ${compact.replace('"user_id"', '"targetingKey"')},
);`;
  return (
    <>
      <section class="panel" aria-label="Why">
        <div class="panel-head">
          <div>
            <h2>{evaluation.reason}</h2>
            <p class="muted">
              {result.isDraft
                ? 'By your unsaved changes, on top of what is saved.'
                : `Version ${String(evaluation.flag_version ?? 'unknown')}, revision ${String(evaluation.revision ?? 'unknown')}.`}
            </p>
          </div>
        </div>
        {evaluation.trace && <Trace trace={evaluation.trace} />}
      </section>
      <details class="panel">
        <summary>Ask from your code</summary>
        <div class="stack details-body">
          <CodeBlock text={curl} label="curl" />
          <CodeBlock text={sdk} label="OpenFeature" />
        </div>
      </details>
    </>
  );
}

const typeName = (value: unknown): string =>
  ({ boolean: 'Boolean', string: 'String', number: 'Number' })[typeof value as string] ?? 'Object';
const defaultFor = (value: unknown): unknown =>
  ({ boolean: false, string: '', number: 0 })[typeof value as string] ?? {};

import type { Evaluation } from '../api/evaluate.js';
import { environments } from '../state/environments.js';
import { shortJson } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { Badge, CodeBlock, Notice } from '../widgets/small.js';
import { reasonWords, Trace } from './trace.js';

/** What one flag answered to one context, in one environment. */
export interface Result {
  readonly id: string;
  readonly flag: string;
  readonly environment: string;
  /** Which context, from 0. */
  readonly context: number;
  readonly isDraft: boolean;
  readonly evaluation?: Evaluation;
  readonly problem?: string;
}

/** All answers beside each other. */
export function Results({
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

/** Each step on the way to one answer, and how to ask for it from a program. */
export function Why({ result, context }: { result: Result; context: string }) {
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
            <h2>{reasonWords(evaluation)}</h2>
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

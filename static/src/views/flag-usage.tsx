import 'uplot/dist/uPlot.min.css';
import { useEffect, useState } from 'preact/hooks';
import { listAudit } from '../api/audit.js';
import type { Flag } from '../api/flags.js';
import { readFlagUsage, type FlagUsage as Usage, type UsagePeriod } from '../api/usage.js';
import { href, place, setQuery } from '../router.js';
import { environmentOf } from '../state/environments.js';
import { bucketAt, markersOf, usageRows, type Marker } from '../state/usage.js';
import { clockOf, number, percent, plural } from '../state/wording.js';
import { CodeBlock, Empty, Failure, Notice, Skeleton, Time } from '../widgets/small.js';
import { UsageChart } from '../widgets/usage-chart.js';
import { useLoaded } from '../widgets/use-loaded.js';
import { useNews } from '../widgets/use-news.js';

const AGAIN_MS: Readonly<Record<UsagePeriod, number>> = { hour: 10_000, day: 60_000 };
const SPAN: Readonly<Record<UsagePeriod, string>> = { hour: 'the last hour', day: 'the last 24 hours' };
const BUCKET: Readonly<Record<UsagePeriod, string>> = { hour: 'minute', day: 'hour' };
const RATE: Readonly<Record<UsagePeriod, string>> = {
  hour: 'Evaluations a minute',
  day: 'Evaluations an hour',
};

interface Shown {
  readonly usage: Usage;
  readonly markers: readonly Marker[];
}

/** How often the service answered with each variant of a flag in an environment, and what was changed meanwhile. */
export function FlagUsage({ flag, environment }: { flag: Flag; environment: string }) {
  const period: UsagePeriod = place.value.query.get('period') === 'day' ? 'day' : 'hour';
  const { value, error, reload } = useLoaded(`${flag.key} ${environment} ${period}`, () =>
    load(flag.key, environment, period),
  );
  useNews(['flag'], reload);
  useEffect(() => {
    const again = (): void => {
      if (document.visibilityState === 'visible') reload();
    };
    const timer = setInterval(again, AGAIN_MS[period]);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [reload, period]);
  const where = environmentOf(environment)?.name ?? environment;
  return (
    <section class="panel usage" aria-labelledby="usage-title">
      <div class="panel-head">
        <div>
          <h2 id="usage-title">Evaluations in {where}</h2>
          <p class="muted">
            What the service answered. SDKs that decide in their own process are not counted here.
          </p>
        </div>
        <fieldset class="choice">
          <legend class="hidden">Period</legend>
          {(['hour', 'day'] as const).map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="period"
                checked={period === each}
                onChange={() => setQuery({ period: each === 'hour' ? undefined : each })}
              />
              <span>{each === 'hour' ? 'Hour' : '24 hours'}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {error !== undefined && value === undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : value === undefined ? (
        <Skeleton rows={5} label="Loading the counts" />
      ) : (
        <>
          {error !== undefined && (
            <Notice tone="warn" role="status">
              The counts could not be read again. These are the last ones.
            </Notice>
          )}
          {value.usage.total === 0 ? (
            <NoUsage flag={flag} environment={environment} period={period} />
          ) : (
            <Counts key={period} flag={flag} period={period} {...value} />
          )}
        </>
      )}
    </section>
  );
}

async function load(key: string, environment: string, period: UsagePeriod): Promise<Shown> {
  const usage = await readFlagUsage(key, environment, period);
  const since = usage.starts_at[0];
  const entries =
    usage.total === 0 || since === undefined
      ? []
      : await listAudit({
          entity_type: 'flag',
          entity_key: key,
          environment_key: environment,
          since,
          limit: 100,
        });
  return { usage, markers: markersOf(entries) };
}

function NoUsage({ flag, environment, period }: { flag: Flag; environment: string; period: UsagePeriod }) {
  return (
    <Empty title={`No evaluations in ${SPAN[period]}`}>
      <p class="muted">Ask for it, and it is counted here within seconds:</p>
      <CodeBlock
        label="the request"
        text={`curl "${location.origin}/evaluate/${flag.key}?environment_key=${environment}&user_id=alice"`}
      />
    </Empty>
  );
}

/** As in the shares of a rollout; what is no variant has no colour. */
const hueOf = (flag: Flag, variant: string | null): string => {
  const index = flag.variants.findIndex(({ key }) => key === variant);
  return index < 0 ? 'hue-none' : `hue-${index % 6}`;
};
const nameOf = (flag: Flag, variant: string | null): string =>
  variant === null
    ? "the caller's default"
    : flag.variants.some(({ key }) => key === variant)
      ? variant
      : `${variant} (gone)`;

function Counts({ flag, period, usage, markers }: Shown & { flag: Flag; period: UsagePeriod }) {
  const [pointed, setPointed] = useState<number>();
  const starts = usage.starts_at.map((at) => Date.parse(at));
  const bucketMs = usage.bucket_seconds * 1000;
  const seen = usage.series.filter(({ variant, total }) => total > 0 || variant !== null);
  const at = pointed === undefined ? undefined : usage.starts_at[pointed];
  const sums = seen.map(({ variant, total }) => `${nameOf(flag, variant)} ${number(total)}`).join(', ');
  return (
    <div class="stack">
      <UsageChart
        label={`${RATE[period]} in ${SPAN[period]}: ${sums}. The numbers are in the table below.`}
        starts={starts}
        bucketMs={bucketMs}
        series={seen.map(({ variant, counts }) => ({ hue: hueOf(flag, variant), counts }))}
        markers={markers}
        onPoint={setPointed}
      />
      <p class="usage-pointed muted" aria-hidden="true">
        {at === undefined || pointed === undefined
          ? `${RATE[period]}. The last ${BUCKET[period]} is not over yet.`
          : `${clockOf(at)} · ${seen.map(({ variant, counts }) => `${nameOf(flag, variant)} ${number(counts[pointed] ?? 0)}`).join(' · ')}`}
      </p>
      <div class="figures">
        <table>
          <caption class="hidden">Evaluations by variant in {SPAN[period]}</caption>
          <thead>
            <tr>
              <th scope="col">Variant</th>
              <th scope="col" class="number">
                Evaluations
              </th>
              <th scope="col" class="number">
                Share
              </th>
            </tr>
          </thead>
          <tbody>
            {seen.map(({ variant, total }) => (
              <tr key={variant}>
                <th scope="row">
                  <span class="environment-name">
                    <span class={`dot ${hueOf(flag, variant)}`} aria-hidden="true" />
                    {nameOf(flag, variant)}
                  </span>
                </th>
                <td class="number">{number(total)}</td>
                <td class="number">{percent(Math.round((total / usage.total) * 1000) / 10)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {markers.length > 0 && <Changes flag={flag} markers={markers} />}
      <details>
        <summary>Every {BUCKET[period]} as a table</summary>
        <div class="details-body figures usage-rows" tabIndex={0} role="group" aria-label="Counts">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                {seen.map(({ variant }) => (
                  <th key={variant} scope="col" class="number">
                    {nameOf(flag, variant)}
                  </th>
                ))}
                <th scope="col">Changes</th>
              </tr>
            </thead>
            <tbody>
              {usageRows({ ...usage, series: seen }).map((row) => (
                <tr key={row.at}>
                  <th scope="row">
                    <time dateTime={row.at}>{clockOf(row.at)}</time>
                  </th>
                  {row.counts.map((count, index) => (
                    <td key={index} class="number">
                      {number(count)}
                    </td>
                  ))}
                  <td>
                    {markers
                      .filter((marker) => bucketAt([Date.parse(row.at)], bucketMs, marker.at) === 0)
                      .map(({ words }) => words)
                      .join('; ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

function Changes({ flag, markers }: { flag: Flag; markers: readonly Marker[] }) {
  return (
    <div>
      <h3>{plural(markers.length, 'change')} meanwhile</h3>
      <ol class="usage-changes">
        {markers.map(({ at, words, by, position }) => (
          <li key={position}>
            <strong>{words}</strong>{' '}
            <span class="muted">
              by {by}, <Time at={new Date(at).toISOString()} />
            </span>
          </li>
        ))}
      </ol>
      <p>
        <a href={href(`/audit?type=flag&key=${flag.key}`)}>All changes of {flag.key}</a>
      </p>
    </div>
  );
}

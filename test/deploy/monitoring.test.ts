import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ensureBuilt } from '../support/built-service.js';
import { Service } from '../support/service-process.js';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook: string };
}
interface Panel {
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const { groups } = parse(readFileSync('deploy/prometheus/vexil.rules.yml', 'utf8')) as {
  groups: { rules: Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const recorded = new Set(rules.map(({ record }) => record));
const dashboard = JSON.parse(readFileSync('deploy/grafana/vexil.json', 'utf8')) as {
  panels: Panel[];
  templating: { list: { name: string; query: string }[] };
  annotations: { list: { expr: string }[] };
};

/** Labels that Prometheus adds to what it scrapes. */
const ADDED = ['instance', 'job'];
/** Words of PromQL that the expressions here use. */
const WORDS = new Set(
  'sum max min by on le rate changes count topk unless histogram_quantile label_values and or ignoring'.split(
    ' ',
  ),
);

/** Each metric that an expression asks for, with the labels and values that it names. */
function asked(
  expr: string,
): { metric: string; matchers: { label: string; operator: string; value: string }[] }[] {
  const bare = expr.replace(/(?<=\b(?:by|on|ignoring) ?)\([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/([a-zA-Z_][\w:]*)(?:\{([^}]*)\})?/g)]
    .map(([, metric = '', selector = '']) => ({ metric, selector, index: 0 }))
    .filter(({ metric }) => /^(vexil|nodejs|process)_|^vexil:|^up$/.test(metric))
    .map(({ metric, selector }) => ({
      metric,
      matchers: [...selector.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({
          label,
          operator,
          value,
        }),
      ),
    }));
}

const grouped = (expr: string): string[] =>
  [...expr.matchAll(/\bby ?\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  );

const expressions = [
  ...rules.map(({ record, alert, expr }) => [record ?? alert ?? '', expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [`panel: ${title}`, expr] as const),
  ),
  ...dashboard.annotations.list.map(({ expr }) => ['annotation', expr] as const),
  ...dashboard.templating.list
    .filter(({ query }) => query.startsWith('label_values'))
    .map(({ name, query }) => [`variable: ${name}`, query.replace(/, \w+\)$/, ')')] as const),
];

describe('what is asked of a started service', () => {
  /** By metric, the values of each of its labels. */
  const metrics = new Map<string, Map<string, Set<string>>>();
  let service: Service;

  beforeAll(async () => {
    await ensureBuilt();
    service = await Service.running({ RATE_LIMIT_PER_MINUTE: '30' });
    await service.until('/health/ready', 200);
    const { client } = service;
    await client.ask('/evaluate/none?environment_key=production&user_id=u');
    await client.ask('/auth/login', {
      method: 'POST',
      body: { email: 'a@example.com', password: 'not that one' },
    });
    for (let count = 0; count < 40; count += 1) await client.ask('/flags');
    // Known before it happens: nobody is resynced or refused here.
    metrics.set('vexil_stream_resyncs_total', new Map([['reason', new Set<string>()]]));
    metrics.set('vexil_streams_refused_total', new Map([['code', new Set<string>()]]));
    metrics.set('up', new Map());
    const { body } = await client.ask('/metrics');
    const declared = new Set([...String(body).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    for (const name of metrics.keys()) if (name !== 'up') expect(declared).toContain(name);
    for (const [, name = '', labels = ''] of String(body).matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gm)) {
      const known = metrics.get(name) ?? new Map<string, Set<string>>();
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g))
        known.set(label, (known.get(label) ?? new Set()).add(value));
      metrics.set(name, known);
    }
  }, 300_000);
  afterAll(() => service.close());

  it.each(expressions)('%s: every metric and label is there', (_, expr) => {
    const selectors = asked(expr);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors) {
      if (recorded.has(metric)) continue;
      expect([...metrics.keys()]).toContain(metric);
      const labels = [...metrics.get(metric)!.keys(), ...ADDED];
      for (const { label } of matchers)
        expect([metric, labels]).toEqual([metric, expect.arrayContaining([label])]);
      for (const label of grouped(expr))
        expect([metric, labels]).toEqual([metric, expect.arrayContaining([label])]);
    }
  });

  it.each(expressions)('%s: what it picks by value can be there', (_, expr) => {
    for (const { metric, matchers } of asked(expr))
      for (const { label, operator, value } of matchers) {
        const values = metrics.get(metric)?.get(label);
        // What Prometheus adds, statuses that did not happen here, and what is left out.
        if (!values || label === 'status' || operator.startsWith('!') || value.startsWith('$')) continue;
        const wanted = operator === '=~' ? new RegExp(`^(?:${value})$`) : value;
        expect(
          [...values].some((known) => (typeof wanted === 'string' ? known === wanted : wanted.test(known))),
        ).toBe(true);
      }
  });
});

describe('every alert', () => {
  const runbook = readFileSync('docs/operations.md', 'utf8');

  it.each(alerts.map((rule) => [rule.alert!, rule] as const))(
    '%s says how bad it is, and what to do',
    (name, rule) => {
      expect(['critical', 'warning']).toContain(rule.labels?.severity);
      expect(rule.for).toMatch(/^\d+[sm]$/);
      expect(rule.annotations?.summary).toMatch(/\.$/);
      expect(rule.annotations?.runbook).toBe(`docs/operations.md#${name.toLowerCase()}`);
      expect(runbook).toMatch(new RegExp(`^### ${name}$`, 'm'));
    },
  );

  it('is in the runbook, and the runbook has no other', () => {
    const written = [...runbook.matchAll(/^### (Vexil\w+)$/gm)].map(([, name]) => name);
    expect(written).toEqual(alerts.map(({ alert }) => alert));
  });

  it('uses only words of PromQL that this test can read', () => {
    for (const [, expr] of expressions)
      for (const [, word = ''] of expr.matchAll(/\b([a-z_]+) ?\(/g)) expect([...WORDS]).toContain(word);
  });
});

it('draws panels that do not lie on each other', () => {
  for (const [index, { gridPos: a }] of dashboard.panels.entries())
    for (const { gridPos: b } of dashboard.panels.slice(index + 1))
      expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).toBe(false);
});

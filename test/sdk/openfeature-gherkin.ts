/** OpenFeature's own scenarios, as steps that a provider can be put through. */
import { expect } from '@jest/globals';
import { AstBuilder, compile, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin';
import { IdGenerator, type Pickle, type PickleStep } from '@cucumber/messages';
import { readFileSync } from 'node:fs';
import type { Api, Json } from '../support/api.js';

const FOLDER = 'test/conformance/openfeature';

/** Every scenario of a feature, with its examples filled in. */
export function scenariosOf(feature: string): Pickle[] {
  const newId = IdGenerator.incrementing();
  const parser = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher());
  const uri = `${FOLDER}/${feature}.feature`;
  return [...compile(parser.parse(readFileSync(uri, 'utf8')), uri, newId)];
}

/** A name for each, also where examples share one. */
export const titleOf = ({ name, steps }: Pickle): string => {
  const [, , given = steps[0]] = steps;
  const example = steps.find(({ text }) => text.includes('-flag with key') || text.includes('level'));
  return `${name}: ${(example ?? given)?.text ?? ''}`;
};

type Value = boolean | string | number | object | null;

interface TestFlag {
  readonly variants: Readonly<Record<string, Value>>;
  readonly defaultVariant?: string | null;
  readonly disabled?: boolean;
  readonly contextEvaluator?: string;
}

const equals = (attribute: string, value: unknown) => ({ attribute, operator: 'equals', values: [value] });
/** What the expressions of the test data mean, as rules. */
const RULES: Readonly<Record<string, Json>> = {
  "email == 'ballmer@macrosoft.com' ? 'zero' : ''": {
    conditions: { all: [equals('email', 'ballmer@macrosoft.com')] },
    serve: { variant: 'zero' },
  },
  "!customer && email == 'ballmer@macrosoft.com' && age > 10 ? 'internal' : ''": {
    conditions: {
      all: [
        { not: equals('customer', true) },
        equals('email', 'ballmer@macrosoft.com'),
        { attribute: 'age', operator: 'gt', values: [10] },
      ],
    },
    serve: { variant: 'internal' },
  },
};

/** The flags of the test data, in the service. Those without a default variant are in no scenario. */
export async function makeTestFlags(api: Api): Promise<void> {
  const flags = JSON.parse(readFileSync(`${FOLDER}/test-flags.json`, 'utf8')) as Record<string, TestFlag>;
  for (const [key, { variants, defaultVariant, disabled, contextEvaluator }] of Object.entries(flags)) {
    if (typeof defaultVariant !== 'string') continue;
    const [first] = Object.values(variants);
    await api.newFlag({
      key,
      value_type: typeof first === 'object' ? 'json' : typeof first,
      variants: Object.entries(variants).map(([name, value]) => ({ key: name, value })),
      is_enabled: disabled !== true,
      client_visible: true,
      off_variant: null,
      default_serve: { variant: defaultVariant },
      ...(contextEvaluator === undefined ? {} : { rules: [{ name: 'r', ...RULES[contextEvaluator] }] }),
    });
  }
}

export type State = 'stable' | 'not ready' | 'error' | 'fatal' | 'stale';
export type Kind = 'boolean' | 'string' | 'number' | 'object';
export type Level = 'API' | 'Transaction' | 'Client' | 'Invocation' | 'Before Hooks';
export type Attributes = Record<string, string | number | boolean | null>;

/** What steps read of OpenFeature's details. */
export interface Details {
  readonly flagKey: string;
  readonly value: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly errorCode?: string;
  readonly flagMetadata: object;
}

/** A hook that takes down what it is called for. */
export class RecordingHook {
  readonly calls: { stage: string; name: string; details: Details | undefined }[] = [];

  constructor(
    private readonly name = 'hook',
    private readonly all = this.calls,
    private readonly added: Attributes = {},
  ) {}

  before(): Attributes {
    this.note('before', undefined);
    return this.added;
  }
  after(_: unknown, details: unknown): void {
    this.note('after', details as Details);
  }
  error(): void {
    this.note('error', undefined);
  }
  finally(_: unknown, details: unknown): void {
    this.note('finally', details as Details);
  }

  private note(stage: string, details: Details | undefined): void {
    this.all.push({ stage, name: this.name, details });
  }
}

export interface Question {
  readonly kind: Kind;
  readonly key: string;
  readonly fallback: Value;
  /** Of the invocation. */
  readonly context: Attributes;
  readonly hooks: RecordingHook[];
}

/** An SDK of OpenFeature with our provider in it. */
export interface Subject {
  provide(state: State): Promise<void>;
  status(): string;
  addClientHook(hook: RecordingHook): void;
  addContext(level: Exclude<Level, 'Invocation' | 'Before Hooks'>, context: Attributes): void;
  evaluate(question: Question): Promise<Details>;
  /** What reached the provider. */
  mergedContext(): Attributes;
}

/** Runs a scenario. */
export class Scenario {
  private question: Question = {
    kind: 'boolean',
    key: 'boolean-flag',
    fallback: false,
    context: {},
    hooks: [],
  };
  private details: Details | undefined;
  private hook = new RecordingHook();
  private levels: Level[] = [];
  private original: string | undefined;

  constructor(private readonly subject: Subject) {}

  async run({ steps }: Pickle): Promise<void> {
    for (const step of steps) {
      const found = STEPS.find(([pattern]) => pattern.test(step.text));
      if (!found) throw new Error(`There is no step for: ${step.text}`);
      const [pattern, act] = found;
      await act.call(this, (pattern.exec(step.text) ?? []).slice(1), tableOf(step));
    }
  }

  provide(state: State): Promise<void> {
    return this.subject.provide(state);
  }

  about(type: string, key: string, fallback: string): void {
    this.question = { ...this.question, kind: kindOf(type), key, fallback: valueOf(type, fallback) };
  }

  addAttribute(name: string, value: Attributes[string]): void {
    this.question = { ...this.question, context: { ...this.question.context, [name]: value } };
  }

  addHook(): void {
    this.subject.addClientHook(this.hook);
  }

  addOptionHooks(): void {
    const hooks = ['first', 'second'].map((name) => new RecordingHook(name, this.hook.calls));
    this.question = { ...this.question, hooks };
  }

  addAt(level: Level, name: string, value: string): void {
    if (level === 'Invocation') this.addAttribute(name, value);
    else if (level === 'Before Hooks') {
      const hook = new RecordingHook('adds', [], { [name]: value });
      this.question = { ...this.question, hooks: [...this.question.hooks, hook] };
    } else this.subject.addContext(level, { [name]: value });
  }

  setLevels(levels: Level[]): void {
    this.levels = levels;
  }

  addDownTo(level: Level, name: string): void {
    for (const each of this.levels.slice(0, this.levels.indexOf(level) + 1)) this.addAt(each, name, each);
  }

  async evaluate(): Promise<void> {
    this.original = JSON.stringify(this.question.context);
    this.details = await this.subject.evaluate(this.question);
  }

  get told(): Details {
    if (!this.details) throw new Error('nothing was evaluated');
    return this.details;
  }

  expectValue(text: string): void {
    const { kind } = this.question;
    expect(this.told.value).toEqual(valueOf(kind === 'number' ? 'float' : kind, text));
  }

  expectHook(stage: string): void {
    expect(this.hook.calls.map((call) => call.stage)).toContain(stage);
  }

  expectHookDetails(stages: string, table: readonly Readonly<Record<string, string>>[]): void {
    const names: Readonly<Record<string, keyof Details>> = { flag_key: 'flagKey', error_code: 'errorCode' };
    for (const stage of stages.split(/, */)) {
      const details = this.hook.calls.find((call) => call.stage === stage)?.details;
      for (const { data_type: type = '', key = '', value = '' } of table) {
        const actual = details?.[names[key] ?? (key as keyof Details)];
        expect([key, actual ?? null]).toEqual([key, value === 'null' ? null : valueOf(type, value)]);
      }
    }
  }

  expectHookOrder(): void {
    const order = this.hook.calls.map(({ stage, name }) => `${stage} ${name}`);
    expect(order).toEqual([
      'before first',
      'before second',
      'after second',
      'after first',
      'finally second',
      'finally first',
    ]);
  }

  expectUnmodified(): void {
    expect(JSON.stringify(this.question.context)).toBe(this.original);
  }

  expectMerged(name: string, value: string): void {
    expect(this.subject.mergedContext()[name]).toBe(value);
  }

  expectStatus(status: string): void {
    expect(this.subject.status()).toBe(status);
  }
}

type Table = readonly Readonly<Record<string, string>>[];

// prettier-ignore
const STEPS: readonly (readonly [RegExp, (this: Scenario, words: readonly string[], table: TableData) => void | Promise<void>])[] = [
  [/^a stable provider with retrievable context is registered$/, function () { return this.provide('stable'); }],
  [/^an? (stable|not ready|error|fatal|stale) provider$/, function ([state]) { return this.provide(state as State); }],
  [/^an? (\w+)-flag with key "(.*?)" and a fallback value "(.*)"$/, function ([type, key, fallback]) { this.about(type!, key!, fallback!); }],
  [/^a context containing a key "(.*?)", with type "(\w+)" and with value "(.*)"$/, function ([name, type, value]) { this.addAttribute(name!, valueOf(type!, value!) as string); }],
  [/^a context containing a key "(.*?)" with null value$/, function ([name]) { this.addAttribute(name!, null); }],
  [/^a client with added hook$/, function () { this.addHook(); }],
  [/^evaluation options containing specific hooks$/, function () { this.addOptionHooks(); }],
  [/^an evaluation context with modifiable data$/, function () { this.addAttribute('email', 'ballmer@macrosoft.com'); }],
  [/^A context entry with key "(.*)" and value "(.*)" is added to the "(.*)" level$/, function ([name, value, level]) { this.addAt(level as Level, name!, value!); }],
  [/^A table with levels of increasing precedence$/, function (_, { cells }) { this.setLevels(cells.flat() as Level[]); }],
  [/^Context entries for each level from API level down to the "(.*)" level, with key "(.*)" and value/, function ([level, name]) { this.addDownTo(level as Level, name!); }],
  [/^(?:the flag was evaluated with details(?: asynchronously| using the evaluation options)?|Some flag was evaluated)$/, function () { return this.evaluate(); }],
  [/^the resolved details value should be "(.*)"$/, function ([value]) { this.expectValue(value!); }],
  [/^the reason should be "(.*)"$/, function ([reason]) { expect(this.told.reason).toBe(reason); }],
  [/^the error-code should be "(.*)"$/, function ([code]) { expect(this.told.errorCode).toBe(code); }],
  [/^the flag key should be "(.*)"$/, function ([key]) { expect(this.told.flagKey).toBe(key); }],
  [/^the variant should be "(.*)"$/, function ([variant]) { expect(this.told.variant).toBe(variant); }],
  [/^the "(.*)" hook should have been executed$/, function ([stage]) { this.expectHook(stage!); }],
  [/^the "(.*)" hooks should be called with evaluation details$/, function ([stages], { rows }) { this.expectHookDetails(stages!, rows); }],
  [/^the specified hooks should execute during evaluation$/, function () { this.expectHook('before'); }],
  [/^the hook order should be maintained$/, function () { this.expectHookOrder(); }],
  [/^the original evaluation context should remain unmodified$/, function () { this.expectUnmodified(); }],
  [/^the evaluation details should be immutable$/, function () { expect(Object.isFrozen(this.told.flagMetadata)).toBe(true); }],
  [/^the evaluation should complete without blocking$/, function () { expect(this.told).toBeDefined(); }],
  [/^The merged context contains an entry with key "(.*)" and value "(.*)"$/, function ([name, value]) { this.expectMerged(name!, value!); }],
  [/^the provider status should be "(.*)"$/, function ([status]) { this.expectStatus(status!); }],
];

interface TableData {
  readonly cells: readonly (readonly string[])[];
  /** By the names in the first row. */
  readonly rows: Table;
}

function tableOf({ argument }: PickleStep): TableData {
  const cells = (argument?.dataTable?.rows ?? []).map((row) => row.cells.map(({ value }) => value));
  const [names = [], ...rest] = cells;
  const rows = rest.map((row) => Object.fromEntries(row.map((value, index) => [names[index] ?? '', value])));
  return { cells, rows };
}

function kindOf(type: string): Kind {
  const kind = type.toLowerCase();
  return kind === 'integer' || kind === 'float' ? 'number' : (kind as Kind);
}

function valueOf(type: string, text: string): Value {
  switch (kindOf(type)) {
    case 'boolean':
      return text === 'true';
    case 'number':
      return Number(text);
    case 'object':
      return JSON.parse(text.replaceAll('\\"', '"')) as object;
    default:
      return text;
  }
}

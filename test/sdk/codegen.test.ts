import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import ts from 'typescript';
import { runCommand } from '../../sdk/src/codegen/command.js';
import { flagTypesOf } from '../../sdk/src/codegen/flag-types.js';
import { jsonType, quoted, textType } from '../../sdk/src/codegen/type-of.js';
import { CLIENTS, writeFlags, type ClientKind } from '../../sdk/src/codegen/write-flags.js';
import type { JsonValue } from '../../sdk/src/core.js';
import { adminKey, clientKey, serverKey } from '../api-keys/support.js';
import { Api } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

const flag = (key: string, more: Record<string, unknown> = {}) => ({
  key,
  value_type: 'boolean',
  variants: [
    { key: 'on', value: true },
    { key: 'off', value: false },
  ],
  is_enabled: true,
  is_archived: false,
  client_visible: false,
  off_variant: 'off',
  prerequisites: [],
  targets: [],
  rules: [],
  default_serve: { variant: 'on' },
  version: 1,
  ...more,
});
const variants = (...values: JsonValue[]) => values.map((value, index) => ({ key: `v${index}`, value }));
const served = { default_serve: { variant: 'v0' }, off_variant: 'v0' };

const RULESET = {
  spec_version: 1,
  environment_key: 'production',
  revision: 42,
  flags: [
    flag('new-checkout', {
      rules: [
        {
          id: 'r',
          name: null,
          conditions: {
            all: [
              { attribute: 'plan', operator: 'in', values: ['pro', 'team'] },
              { any: [{ attribute: 'seats', operator: 'gte', values: [10] }] },
              { not: { attribute: 'roles', operator: 'contains_any', values: ['owner'] } },
              { attribute: 'member since', operator: 'after', values: ['2026-01-01'] },
              { attribute: 'now', operator: 'after', values: ['2026-01-01'] },
              { operator: 'in_segment', values: ['beta'] },
            ],
          },
          serve: { variant: 'on' },
        },
      ],
    }),
    flag('color', { value_type: 'string', variants: variants('dark', "li'ght"), ...served }),
    flag('limit', { value_type: 'number', variants: variants(1, 2.5), ...served }),
    flag('layout', {
      value_type: 'json',
      variants: variants({ columns: [1, 2], title: 'x' }, { columns: [], wide: true }),
      ...served,
    }),
    flag('2-fast', {}),
    flag('a.b', {}),
    flag('a-b', {}),
    flag('gone', { is_archived: true }),
  ],
  segments: [
    {
      key: 'beta',
      included: [],
      excluded: [],
      conditions: { all: [{ attribute: 'country', operator: 'equals', values: ['NL'] }] },
    },
  ],
};

function written(ruleset: unknown, client: ClientKind = 'server'): string {
  const types = flagTypesOf(ruleset);
  if ('flaw' in types) throw new Error(types.flaw);
  return writeFlags(types, client);
}

describe('types of values', () => {
  it.each<[JsonValue[], string]>([
    [[1, 2], 'number'],
    [['b', null, 'a'], 'string | null'],
    [[true, 0], 'boolean | number'],
    [[[1, 'x'], []], 'readonly (number | string)[]'],
    [[[]], 'readonly JsonValue[]'],
    [[[[1]]], 'readonly (readonly number[])[]'],
    [[{}], '{ readonly [name: string]: never }'],
    [[{ b: 1, a: 'x' }], '{ readonly a: string; readonly b: number }'],
    [[{ a: 1 }, { a: null, b: true }], '{ readonly a: number | null; readonly b?: boolean }'],
    [[{ 'a b': { c: [1] } }], "{ readonly 'a b': { readonly c: readonly number[] } }"],
    [[{ a: 1 }, [1], 2], 'number | readonly number[] | { readonly a: number }'],
    [[], 'JsonValue'],
  ])('of %j is %s', (values, type) => expect(jsonType(values)).toBe(type));

  it('does not depend on the order of the values', () => {
    const values: JsonValue[] = [{ a: 1, b: 'x' }, { b: null }, [1, 'x'], 'y', null];
    expect(jsonType([...values].reverse())).toBe(jsonType(values));
  });

  it('does not follow JSON for ever', () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 1_000; level += 1) deep = { deep };
    expect(jsonType([deep])).toMatch(/readonly deep: JsonValue( })+$/);
  });

  it('is a union of texts, while there are few', () => {
    expect(textType(['b', 'a', 'b'])).toBe("'a' | 'b'");
    expect(textType(Array.from({ length: 51 }, (_, index) => String(index)))).toBe('string');
  });

  it.each(["it's", 'a"b', 'a\\', '\\"', 'line\nbreak', "\\'", '\u2028'])('quotes %j', (text) => {
    expect(runInNewContext(quoted(text))).toBe(text);
  });
});

describe('the written file', () => {
  it('is the same for the same types, whatever else has changed', () => {
    const other = structuredClone(RULESET);
    other.revision = 99;
    other.flags.reverse();
    other.flags[0]!.version = 7;
    (other.flags.find(({ key }) => key === 'limit')!.variants as { value: JsonValue }[]).reverse();
    expect(written(other).replace('v1, v0', 'v0, v1')).toBe(written(RULESET));
  });

  it('has the flags with their types, without those that are archived', () => {
    expect(written(RULESET)).toContain(`export interface FlagValues {
  readonly '2-fast': boolean;
  readonly 'a-b': boolean;
  readonly 'a.b': boolean;
  readonly 'color': 'dark' | 'li\\'ght';
  readonly 'layout': { readonly columns: readonly number[]; readonly title?: string; readonly wide?: boolean };
  readonly 'limit': number;
  readonly 'new-checkout': boolean;
}`);
  });

  it('has the attributes that rules and segments ask for', () => {
    expect(written(RULESET)).toContain(`  readonly targetingKey?: string | number | undefined;
  readonly country?: string | undefined;
  readonly 'member since'?: number | string | undefined;
  readonly plan?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly seats?: number | undefined;
  readonly [attribute: string]: JsonValue | undefined;`);
  });

  it('names accessors as people do, and by the key where two would have one name', () => {
    const text = written(RULESET);
    expect(text).toMatch(/^ {4}newCheckout: \(context: FlagContext, fallback: .* = false\)/m);
    expect(text).toMatch(/^ {4}'2Fast': /m);
    expect(text).toMatch(/^ {4}'a\.b': /m);
    expect(text).toMatch(/^ {4}'a-b': /m);
  });

  it('has no accessor that would make a promise of them all', () => {
    const flags = [flag('then'), flag('then-', {})];
    for (const some of [flags, flags.slice(0, 1), flags.slice(1)]) {
      const text = written({ ...RULESET, flags: some });
      expect(text).toMatch(/^ {4}\$then: /m);
      expect(text).not.toMatch(/^ {4}then: /m);
    }
  });

  it('keeps a flag that a newer version wrote, as whatever it serves', () => {
    const newer = {
      ...RULESET,
      flags: [
        flag('later', { rules: [{ id: 'r', conditions: { all: [{ operator: 'feels', values: [] }] } }] }),
      ],
    };
    expect(written(newer)).toContain("readonly 'later': boolean;");
  });

  it('lets nothing out of its comments', () => {
    const sly = {
      ...RULESET,
      flags: [
        flag('sly', {
          variants: [{ key: '*/ evil() /*', value: true }],
          off_variant: null,
          default_serve: { variant: '*/ evil() /*' },
        }),
      ],
    };
    expect(written(sly)).not.toContain('*/ evil');
  });

  it.each([
    ['no ruleset', 'nothing'],
    ['a list', []],
    ['another version', { ...RULESET, spec_version: 2 }],
  ])('cannot be made from %s, and says why', (_, document) => {
    expect(flagTypesOf(document)).toEqual({ flaw: expect.stringMatching(/\w+/) });
  });
});

describe('the compiler', () => {
  let folder: string;
  let host: ts.CompilerHost | undefined;
  let before: ts.Program | undefined;
  beforeAll(() => {
    mkdirSync('.cache', { recursive: true });
    folder = mkdtempSync(join(process.cwd(), '.cache', 'codegen-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What is wrong with a program that uses the written file, strictly. */
  function mistakes(program: string, ruleset: unknown = RULESET, client: ClientKind = 'server'): string[] {
    writeFileSync(join(folder, 'flags.ts'), written(ruleset, client));
    writeFileSync(join(folder, 'program.ts'), program);
    const options: ts.CompilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      paths: {
        '@vexil/sdk': [join(process.cwd(), 'sdk/src/index.ts')],
        '@vexil/sdk/browser': [join(process.cwd(), 'sdk/src/browser/index.ts')],
      },
    };
    host ??= cachingHost(options);
    before = ts.createProgram([join(folder, 'program.ts')], options, host, before);
    const compiled = before;
    const files = ['flags.ts', 'program.ts'].flatMap(
      (name) => compiled.getSourceFile(join(folder, name)) ?? [],
    );
    return files
      .flatMap((file) => [
        ...compiled.getSyntacticDiagnostics(file),
        ...compiled.getSemanticDiagnostics(file),
      ])
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  }

  /** Reads what does not change once. */
  function cachingHost(options: ts.CompilerOptions): ts.CompilerHost {
    const plain = ts.createCompilerHost(options);
    const files = new Map<string, ts.SourceFile | undefined>();
    return {
      ...plain,
      getSourceFile: (name, ...rest) => {
        if (name.startsWith(folder)) return plain.getSourceFile(name, ...rest);
        if (!files.has(name)) files.set(name, plain.getSourceFile(name, ...rest));
        return files.get(name);
      },
    };
  }
  const bound = (use: string, client: ClientKind = 'server'): string => {
    const type = { server: 'ServerClient', remote: 'RemoteClient', browser: 'BrowserClient' }[client];
    const from = client === 'browser' ? '@vexil/sdk/browser' : '@vexil/sdk';
    return `import type { ${type} } from '${from}';
import { bindFlags } from './flags.js';
declare const client: ${type};
const flags = bindFlags(client);
${use}
`;
  };

  it.each(CLIENTS)('is content with accessors for the %s client', (client) => {
    const [open, close, given] =
      client === 'remote'
        ? ['await ', '', "{ targetingKey: 'a', plan: 'pro' }, "]
        : ['', '', "{ targetingKey: 'a', plan: 'pro' }, "];
    const context = client === 'browser' ? '' : given;
    const program = bound(
      `const on: boolean = ${open}flags.newCheckout(${context.replace(/, $/, '')})${close};
const color: 'dark' | "li'ght" = ${open}flags.color(${context}'dark');
const columns: readonly number[] = (${open}flags.layout(${context}{ columns: [] })).columns;
console.log(on, color, columns);`,
      client,
    );
    expect(mistakes(program, RULESET, client)).toEqual([]);
  });

  it('finds a flag that is gone', () => {
    const use = bound('flags.newCheckout({});');
    expect(mistakes(use)).toEqual([]);
    const without = { ...RULESET, flags: RULESET.flags.filter(({ key }) => key !== 'new-checkout') };
    expect(mistakes(use, without)).toEqual([expect.stringContaining("'newCheckout' does not exist")]);
  });

  it.each([
    ['a fallback of another type', "flags.limit({}, 'x');", 'not assignable'],
    ['a variant that there is not', "flags.color({}, 'blue');", 'not assignable'],
    ['an attribute of another type', 'flags.newCheckout({ seats: "ten" });', 'not assignable'],
    ['a missing fallback', 'flags.limit({});', 'Expected 2 arguments'],
  ])('finds %s', (_, use, message) => {
    expect(mistakes(bound(use))).toEqual([expect.stringContaining(message)]);
  });
});

describe('the command', () => {
  let folder: string;
  let out: string;
  let printed: { out: string; err: string };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vexil-codegen-'));
    out = join(folder, 'flags.ts');
    writeFileSync(join(folder, 'ruleset.json'), JSON.stringify(RULESET));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const run = (args: string[], env: Record<string, string> = {}) => {
    printed = { out: '', err: '' };
    return runCommand(args, {
      env,
      out: (text) => (printed.out += text),
      err: (text) => (printed.err += text),
    });
  };
  const fromFile = () => ['--from', join(folder, 'ruleset.json'), '--out', out];

  it('writes the file, and leaves it alone when nothing would change', async () => {
    expect(await run(fromFile())).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(written(RULESET));
    expect(printed.out).toContain("7 flags of 'production'");
    const { ino } = statSync(out);
    expect(await run(fromFile())).toBe(0);
    expect(printed.out).toContain('is up to date');
    expect(statSync(out).ino).toBe(ino);
    expect(readdirSync(folder).sort()).toEqual(['flags.ts', 'ruleset.json']);
  });

  it('checks without writing: 0 when the file is what would be written, 1 when it is old or missing', async () => {
    expect(await run([...fromFile(), '--check'])).toBe(1);
    expect(printed.err).toMatch(/flags\.ts is missing; run it again without --check/);
    await run(fromFile());
    expect(await run([...fromFile(), '--check'])).toBe(0);
    // As Git puts it into a working tree on Windows.
    writeFileSync(out, written(RULESET).replaceAll('\n', '\r\n'));
    expect(await run([...fromFile(), '--check'])).toBe(0);
    writeFileSync(out, written(RULESET));
    const changed = { ...RULESET, flags: RULESET.flags.slice(1) };
    writeFileSync(join(folder, 'ruleset.json'), JSON.stringify(changed));
    expect(await run([...fromFile(), '--check'])).toBe(1);
    expect(printed.err).toMatch(/flags\.ts is out of date/);
    expect(readFileSync(out, 'utf8')).toBe(written(RULESET));
  });

  it.each<[string, string[], RegExp]>([
    ['without anything', [], /--out is missing/],
    ['without a source', ['--out', 'x.ts'], /either --url or --from/],
    ['with two sources', ['--out', 'x.ts', '--from', 'x', '--url', 'http://x'], /either --url or --from/],
    ['with an option that is none', ['--outt', 'x.ts'], /--outt/],
    [
      'with a client that is none',
      ['--out', 'x.ts', '--from', 'x', '--client', 'y'],
      /server, remote, browser/,
    ],
    ['with an address that is none', ['--out', 'x.ts', '--url', 'x'], /--url must be a URL/],
    ['without an environment', ['--out', 'x.ts', '--url', 'http://x'], /--environment is missing/],
    [
      'without a key',
      ['--out', 'x.ts', '--url', 'http://x', '--environment', 'x'],
      /VEXIL_API_KEY is missing/,
    ],
    [
      'with a client key',
      ['--out', 'x.ts', '--url', 'http://x', '--environment', 'x', '--api-key', 'vx_client_1_2'],
      /a client key may not know rules/,
    ],
    [
      'with a key that cannot be sent, which it does not show',
      ['--out', 'x.ts', '--url', 'http://x', '--environment', 'x', '--api-key', 'vx_server_\nx'],
      /^vexil-codegen: the API key must be of visible ASCII letters\n/,
    ],
  ])('explains itself %s', async (_, args, message) => {
    expect(await run(args)).toBe(2);
    expect(printed.err).toMatch(message);
    expect(printed.err).toContain('--environment <key>');
  });

  it('tells how it is used', async () => {
    expect(await run(['--help'])).toBe(0);
    expect(printed.out).toContain('vexil-codegen --url');
  });

  it.each<[string, string, RegExp]>([
    ['is not there', 'nothing.json', /ENOENT/],
    ['holds no JSON', 'bad.json', /JSON/],
    ['holds no ruleset', 'other.json', /gives no ruleset/],
  ])('fails when the file %s, and leaves what was written', async (_, name, message) => {
    await run(fromFile());
    writeFileSync(join(folder, 'bad.json'), '{');
    writeFileSync(join(folder, 'other.json'), '{"a":1}');
    expect(await run(['--from', join(folder, name), '--out', out])).toBe(1);
    expect(printed.err).toMatch(message);
    expect(readFileSync(out, 'utf8')).toBe(written(RULESET));
  });

  describe('with a service', () => {
    let vexil: TestApp;
    let api: Api;
    beforeAll(async () => {
      vexil = await startApp();
      api = new Api(vexil);
      await api.newFlag({ key: 'new-checkout' });
      await api.newFlag({
        key: 'color',
        value_type: 'string',
        variants: variants('dark', 'light'),
        default_serve: { variant: 'v0' },
        off_variant: 'v0',
      });
    });
    afterAll(() => vexil.close());
    const online = (...more: string[]) => [
      '--url',
      vexil.url,
      '--environment',
      'development',
      '--out',
      out,
      ...more,
    ];

    it('asks with a server key, an admin key or a token, and writes the same', async () => {
      const keys = [
        (await serverKey(vexil)).secret,
        (await adminKey(vexil, 'viewer')).secret,
        (await vexil.as('viewer')).token,
      ];
      for (const [index, key] of keys.entries()) {
        expect([
          await run(online(...(index === 0 ? [] : ['--check'])), { VEXIL_API_KEY: key }),
          printed.err,
        ]).toEqual([0, '']);
      }
      expect(readFileSync(out, 'utf8')).toContain("readonly 'color': 'dark' | 'light';");
    });

    it.each<[string, string, RegExp]>([
      ['a key that is none', `vx_server_00000000_${'0'.repeat(43)}`, /\w/],
      ['a key of another environment', 'other', /environment/],
    ])('says what the service says to %s', async (_, given, message) => {
      const key =
        given === 'other' ? (await serverKey(vexil, { environment_key: 'production' })).secret : given;
      expect(await run(online(), { VEXIL_API_KEY: key })).toBe(1);
      expect(printed.err).toMatch(message);
      expect(printed.err).not.toContain(key);
    });

    it('says that the client key it was given in another way may not know rules', async () => {
      const { secret } = await clientKey(vexil);
      expect(await run(online(), { VEXIL_API_KEY: secret })).toBe(2);
    });

    it('says that a service is not there', async () => {
      const args = ['--url', 'http://127.0.0.1:9', '--environment', 'x', '--out', out, '--api-key', 'x'];
      expect(await run(args)).toBe(1);
      expect(printed.err).toMatch(/GET \/ruleset failed/);
    });
  });
});

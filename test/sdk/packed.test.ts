/** What users do: install the tarball in a strict project of their own, compile, and run it against a real service. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import ts from 'typescript';
import { serverKey } from '../api-keys/support.js';
import { Api } from '../support/api.js';
import { type TestApp, startApp } from '../support/app.js';

const run = promisify(execFile);
const PATIENCE_MS = 240_000;

let home: string;
let project: string;
let packed: { filename: string; files: { path: string }[] };

/** The user's program: every name that the package has for servers, with its type. */
const PROGRAM = `
const settings = JSON.parse(process.argv[2] ?? '{}') as { baseUrl: string; apiKey: string };
const client: ServerClient = createServerClient({ ...settings, environment: 'development' });
const context: Context = { targetingKey: 'alice', plan: 'pro' };

async function main(): Promise<void> {
  const early: EvaluationResult<string> = client.evaluate('colour', context, 'red');
  client.on('change', ({ revision, flagsChanged }) => {
    const keys: readonly string[] = flagsChanged;
    console.error(revision, keys);
  });
  await client.ready({ timeoutMs: 60_000 });
  const on: boolean = client.isEnabled('new-checkout', context);
  const colour: string = client.value('colour', context, 'red');
  const limit: number = client.value('limit', context, 5);
  const layout: { columns: number } = client.value<{ columns: number }>('layout', context, { columns: 1 });
  // @ts-expect-error: a fallback that is a text cannot become a number
  const wrong: number = client.value('colour', context, 'red');
  const { variant, reason, explanation } = client.evaluate('colour', context, 'red', { explain: true });
  const all = Object.keys(client.evaluateAll(context));
  await client.close();
  console.log(JSON.stringify({ early: early.errorCode, on, colour, limit, layout, wrong, variant, reason, steps: explanation?.trace.flag, all }));
}
main().catch((error: unknown) => {
  console.error(error instanceof VexilError ? error.code : error);
  process.exit(1);
});
`;

/** What a project without any types but the language's has to say about itself. */
const AMBIENT = `
declare const process: { argv: readonly string[]; exit(code: number): never };
declare const console: { log(...things: unknown[]): void; error(...things: unknown[]): void };
`;

const IMPORT = `{ createServerClient, VexilError, type Context, type EvaluationResult, type ServerClient } from '@vexil/sdk';`;

/** What the other entries and clients are called, with their types. */
const OTHERS = `
import { createBrowserClient, type BrowserClient } from '@vexil/sdk/browser';
import { createRemoteClient, FlagNotFound, type ExposureSink, type Flag, type RemoteClient } from '@vexil/sdk';

const sink: ExposureSink = { send: () => Promise.resolve() };
const page: BrowserClient = createBrowserClient({ baseUrl: 'http://127.0.0.1:9', clientKey: 'vx_client_1', exposures: { sink } });
const remote: RemoteClient = createRemoteClient({ baseUrl: 'http://127.0.0.1:9', environment: 'development' });
export const colour: string = page.value('colour', 'red');
export const later: Promise<string> = remote.value('colour', {}, 'red');
export const made: Promise<Flag | undefined> = remote.createFlag({ key: 'a', name: 'A' }).catch((error: unknown) => {
  if (error instanceof FlagNotFound) return undefined;
  throw error;
});
`;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'vexil-packed-'));
  project = join(home, 'project');
  mkdirSync(project);
  const { stdout } = await run('npm', ['pack', '--json', '--silent', '--pack-destination', home], {
    cwd: resolve('sdk'),
  });
  const listed = JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Record<string, typeof packed>;
  packed = Object.values(listed)[0]!;
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'project', private: true, type: 'module' }),
  );
  const tarball = join(home, packed.filename);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: project });
}, PATIENCE_MS);
afterAll(() => rmSync(home, { recursive: true, force: true }));

it('holds what is run, its types, a README and a licence, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'README.md',
      'package.json',
      'dist/index.js',
      'dist/index.cjs',
      'dist/index.d.ts',
      'dist/index.d.cts',
    ]),
  );
  expect(
    paths.filter(
      (path) => !/^(LICENSE|README\.md|package\.json|dist\/[^/]+\.(js|cjs|d\.ts|d\.cts))$/.test(path),
    ),
  ).toEqual([]);
});

it('brings nothing else along', () => {
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
  expect(installed).toEqual(['@vexil']);
  const { dependencies = {} } = JSON.parse(
    readFileSync(join(project, 'node_modules/@vexil/sdk/package.json'), 'utf8'),
  ) as { dependencies?: object };
  expect(dependencies).toEqual({});
});

it('loads nothing but Node and itself, and its types name nothing that is not there', () => {
  const dist = join(project, 'node_modules/@vexil/sdk/dist');
  const wanted = new Set<string>();
  for (const file of readdirSync(dist)) {
    const text = readFileSync(join(dist, file), 'utf8');
    for (const [, name] of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?|\brequire\()\s*["']([@\w./:-]+)["']/g))
      wanted.add(name!);
  }
  const strange = [...wanted].filter(
    (name) => !/^(node:|\.\/|@openfeature\/)/.test(name) && !builtinModules.includes(name),
  );
  expect(strange).toEqual([]);
});

it('has everything that its exports and its commands name', () => {
  const root = join(project, 'node_modules/@vexil/sdk');
  const { exports, bin = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: object;
    bin?: object;
  };
  const named = JSON.stringify([exports, bin]).match(/(?:\.\/)?dist\/[^"]+/g) ?? [];
  expect(named.length).toBeGreaterThan(3);
  for (const path of named) expect(readFileSync(join(root, path), 'utf8')).not.toBe('');
});

it('gives whoever bundles the remote client neither evaluation nor patterns', async () => {
  const bundled = async (name: string): Promise<string> => {
    const { outputFiles } = await build({
      stdin: { contents: `import { ${name} } from '@vexil/sdk'; console.log(${name});`, resolveDir: project },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
    });
    return outputFiles[0]!.text;
  };
  expect((await bundled('createRemoteClient')).length).toBeLessThan(40_000);
  expect((await bundled('createServerClient')).length).toBeGreaterThan(100_000);
});

it('has types of every entry for a project that does not read exports', () => {
  const { options } = ts.convertCompilerOptionsFromJson(
    { module: 'commonjs', moduleResolution: 'node10', types: [] },
    project,
  );
  const host = ts.createCompilerHost(options);
  const found = ['', '/browser', '/openfeature-server', '/openfeature-web'].map((entry) => {
    const from = join(project, 'old.ts');
    const { resolvedModule } = ts.resolveModuleName(`@vexil/sdk${entry}`, from, options, host);
    return resolvedModule && basename(resolvedModule.resolvedFileName);
  });
  expect(found).toEqual(['index.d.ts', 'browser.d.ts', 'openfeature-server.d.ts', 'openfeature-web.d.ts']);
});

it('brings the command that writes types', async () => {
  const { stdout } = await run('npx', ['--no-install', 'vexil-codegen', '--help'], { cwd: project });
  expect(stdout).toContain('vexil-codegen --url');
});

describe('in a strict project', () => {
  let vexil: TestApp;
  let settings: string;

  beforeAll(async () => {
    vexil = await startApp();
    const api = new Api(vexil);
    const { secret } = await serverKey(vexil);
    settings = JSON.stringify({ baseUrl: vexil.url, apiKey: secret });
    await api.newFlag({ key: 'new-checkout', flag_type: 'boolean', is_enabled: true });
    const of = (value_type: string, value: unknown, more: unknown) => ({
      value_type,
      is_enabled: true,
      variants: [
        { key: 'one', value },
        { key: 'two', value: more },
      ],
      default_serve: { variant: 'one' },
    });
    await api.newFlag({ key: 'colour', ...of('string', 'blue', 'green') });
    await api.newFlag({ key: 'limit', ...of('number', 7, 8) });
    await api.newFlag({ key: 'layout', ...of('json', { columns: 3 }, { columns: 4 }) });

    writeFileSync(join(project, 'ambient.d.ts'), AMBIENT);
    writeFileSync(join(project, 'modern.mts'), `import ${IMPORT}${PROGRAM}`);
    writeFileSync(join(project, 'others.mts'), OTHERS);
    writeFileSync(join(project, 'others-common.cts'), OTHERS);
    writeFileSync(join(project, 'common.cts'), `import ${IMPORT}${PROGRAM}`);
    const compilerOptions = {
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2022'],
      // Not even Node's.
      types: [],
      outDir: 'out',
      rootDir: '.',
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    await run(process.execPath, [resolve('node_modules/typescript/bin/tsc')], { cwd: project }).catch(
      (error: unknown) => {
        throw new Error((error as { stdout: string }).stdout);
      },
    );
  }, PATIENCE_MS);
  afterAll(() => vexil.close());

  it.each(['modern.mjs', 'common.cjs'])(
    'compiles, and %s decides as the service does',
    async (file) => {
      const { stdout } = await run(process.execPath, [join(project, 'out', file), settings], {
        cwd: project,
      });
      const [variant, reason] = ['one', 'STATIC'];
      expect(JSON.parse(stdout)).toEqual({
        early: 'PROVIDER_NOT_READY',
        on: true,
        colour: 'blue',
        limit: 7,
        layout: { columns: 3 },
        wrong: 'blue',
        variant,
        reason,
        steps: 'colour',
        all: ['colour', 'layout', 'limit', 'new-checkout'],
      });
    },
    PATIENCE_MS,
  );

  it(
    'runs in two processes on one key at the same time',
    async () => {
      const files = ['modern.mjs', 'common.cjs', 'modern.mjs', 'common.cjs'];
      const outputs = await Promise.all(
        files.map((file) => run(process.execPath, [join(project, 'out', file), settings], { cwd: project })),
      );
      expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1);
    },
    PATIENCE_MS,
  );
});

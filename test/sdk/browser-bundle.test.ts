import { beforeAll, describe, expect, it } from '@jest/globals';
import { build, type Metafile } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { builtinModules } from 'node:module';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

const MOST_BYTES = 10_000;

describe.each([
  ['browser', 'src/browser/index.ts', MOST_BYTES],
  ['openfeature-web', 'src/browser/openfeature-web.ts', MOST_BYTES],
])('the entry %s', (_, entry, mostBytes) => {
  let metafile: Metafile;
  let code: Uint8Array;
  beforeAll(async () => {
    const built = await build({
      absWorkingDir: resolve('sdk'),
      entryPoints: [entry],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      external: ['@openfeature/*'],
    });
    metafile = built.metafile;
    code = built.outputFiles[0]!.contents;
  });

  it('is light', () => expect(brotliCompressSync(code).length).toBeLessThan(mostBytes));

  it('has nothing of the evaluation, and no patterns', () => {
    const files = Object.keys(metafile.inputs);
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !/^src\//.test(file))).toEqual([]);
    expect(files.filter((file) => /src\/(core|patterns|server|remote|codegen)/.test(file))).toEqual([]);
  });

  it('asks for nothing of Node', () => {
    const asked = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    expect(asked.filter((path) => !path.startsWith('@openfeature/'))).toEqual([]);
    const text = Buffer.from(code).toString();
    expect(builtinModules.filter((name) => text.includes(`"node:${name}"`))).toEqual([]);
    expect(text).not.toMatch(/\b(process|Buffer|require|__dirname)\b/);
  });
});

it('has errors whose names stay when it is made small', async () => {
  const { outputFiles } = await build({
    absWorkingDir: resolve('sdk'),
    entryPoints: ['src/browser/index.ts'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
  });
  const module = `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`;
  const program = `const { ApiError, NetworkError, TimeoutError, ValidationError, VexilError } = await import('${module}');
    const errors = [new ApiError({}), new NetworkError(), new TimeoutError(), new ValidationError(), new VexilError()];
    console.log(errors.map(({ name }) => name).join());`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(said.trim()).toBe('ApiError,NetworkError,TimeoutError,ValidationError,VexilError');
});

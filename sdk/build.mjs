/**
 * Builds sdk/dist: each entry as an ES module, as CommonJS, and its types in one file without a dependency. Prints what
 * each entry weighs, and fails when one weighs more than it may.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { generateDtsBundle } from 'dts-bundle-generator';
import { build, transform } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
/** Built aside and put in place at the end: somebody may be reading what was built before. */
const dist = join(here, `.dist-${process.pid}`);

/**
 * By the name in dist. `platform` browser: no Node built-ins, types of the DOM. `maxBrotliBytes`: of everything that the entry loads.
 * An entry is also named in `exports` or `bin` of package.json, unless it `isInternal`: such a one only keeps what it loads out of
 * the chunks of others, so that whoever bundles one client does not get the other's evaluation and patterns with it.
 */
const ENTRIES = {
  index: { source: 'src/index.ts', platform: 'node' },
  remote: { source: 'src/remote/remote-client.ts', platform: 'node', isInternal: true },
  'openfeature-server': { source: 'src/openfeature/server.ts', platform: 'node' },
  codegen: { source: 'src/codegen/main.ts', platform: 'node', isCommand: true },
  browser: { source: 'src/browser/index.ts', platform: 'browser', maxBrotliBytes: 10_000 },
  'openfeature-web': { source: 'src/browser/openfeature-web.ts', platform: 'browser' },
};

/** OpenFeature's own SDKs come from whoever uses them. */
const EXTERNAL = ['@openfeature/*'];
const TSCONFIG = { node: 'tsconfig.json', browser: 'src/browser/tsconfig.json' };

/** ES modules, with what several entries need in chunks: `instanceof` must hold across them. */
async function buildModules() {
  for (const platform of ['node', 'browser']) {
    const entries = Object.entries(ENTRIES).filter(([, entry]) => entry.platform === platform);
    if (entries.length === 0) continue;
    await build({
      absWorkingDir: here,
      entryPoints: Object.fromEntries(entries.map(([name, { source }]) => [name, source])),
      outdir: dist,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform,
      target: platform === 'node' ? 'node20' : 'es2022',
      external: EXTERNAL,
      chunkNames: `${platform}-[hash]`,
      minifySyntax: true,
      // A page loads it; a server keeps names that a person can read in a stack trace.
      minify: platform === 'browser',
      legalComments: 'none',
      logLevel: 'warning',
    });
  }
}

/** Each module once more as CommonJS, with the same chunks. */
async function buildCommonJs() {
  for (const file of readdirSync(dist).filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(dist, file), 'utf8');
    // A command is started, not required.
    if (code.startsWith('#!')) continue;
    const { code: common } = await transform(code, { format: 'cjs', platform: 'node', target: 'node20' });
    const renamed = common.replaceAll(/require\("(\.\/[^"]+)\.js"\)/g, 'require("$1.cjs")');
    writeFileSync(join(dist, `${file.slice(0, -'.js'.length)}.cjs`), renamed);
  }
}

/** Types hold no code, so that the same text serves both kinds of module. */
function buildTypes() {
  for (const [platform, tsconfig] of Object.entries(TSCONFIG)) {
    const entries = Object.entries(ENTRIES).filter(
      ([, entry]) => entry.platform === platform && !entry.isCommand && !entry.isInternal,
    );
    if (entries.length === 0) continue;
    const bundles = generateDtsBundle(
      entries.map(([, { source }]) => ({
        filePath: join(here, source),
        output: { noBanner: true, exportReferencedTypes: false },
      })),
      { preferredConfigPath: join(here, tsconfig) },
    );
    for (const [index, [name]] of entries.entries()) {
      for (const ending of ['.d.ts', '.d.cts']) writeFileSync(join(dist, `${name}${ending}`), bundles[index]);
    }
  }
}

/** Bytes after brotli of a module with all that it loads of ours. */
function weigh(file, seen = new Set()) {
  if (seen.has(file)) return 0;
  seen.add(file);
  const code = readFileSync(join(dist, file), 'utf8');
  const loaded = [...code.matchAll(/(?:from|import)\s*\(?"\.\/([^"]+\.js)"/g)].map(([, name]) => name);
  return loaded.reduce((sum, name) => sum + weigh(name, seen), brotliCompressSync(code).length);
}

function printWeights() {
  for (const [name, { maxBrotliBytes }] of Object.entries(ENTRIES)) {
    const bytes = weigh(`${name}.js`);
    const limit = maxBrotliBytes === undefined ? '' : ` (at most ${maxBrotliBytes})`;
    console.log(`${name}: ${bytes} bytes with brotli${limit}`);
    if (bytes > (maxBrotliBytes ?? Infinity)) {
      console.error(`${name} weighs more than it may`);
      process.exitCode = 1;
    }
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await buildModules();
await buildCommonJs();
buildTypes();
printWeights();
for (let attempts = 1; ; attempts += 1) {
  rmSync(join(here, 'dist'), { recursive: true, force: true });
  try {
    renameSync(dist, join(here, 'dist'));
    break;
  } catch (error) {
    // Another build was as fast.
    if (attempts === 5) throw error;
  }
}

import { build } from 'esbuild';
import { cpSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ENTRIES = { node: ['index', 'openfeature-server'], browser: ['browser', 'openfeature-web'] } as const;
const SOURCES: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  'openfeature-server': 'src/openfeature/server.ts',
  browser: 'src/browser/index.ts',
  'openfeature-web': 'src/browser/openfeature-web.ts',
};

/**
 * Puts the SDK of this tree where a project would have installed it, `node_modules/@vexil/sdk`: its modules, without types. Built for
 * this one project, so that no other test can take it away.
 */
export async function installSdk(project: string): Promise<string> {
  const home = join(project, 'node_modules/@vexil/sdk');
  mkdirSync(home, { recursive: true });
  cpSync(resolve('sdk/package.json'), join(home, 'package.json'));
  for (const platform of ['node', 'browser'] as const) {
    await build({
      absWorkingDir: resolve('sdk'),
      entryPoints: Object.fromEntries(ENTRIES[platform].map((name) => [name, SOURCES[name]!])),
      outdir: join(home, 'dist'),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform,
      external: ['@openfeature/*'],
      logLevel: 'error',
    });
  }
  return home;
}

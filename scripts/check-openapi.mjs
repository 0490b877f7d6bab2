/** `npm run openapi:check`: makes the API document from the routes, and has Spectral and Redocly read it. Needs no server, database or network. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildIfOld, root } from './build-if-old.mjs';

const DOCUMENT = join('.cache', 'openapi.json');
// Neither asks the network for news of itself.
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

/** The program of a package, as node starts it. */
function program(packageName, name) {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  return join(dirname(manifest), createRequire(manifest)(manifest).bin[name]);
}

const run = (title, ...args) => {
  console.log(`\n${title}`);
  const env = { ...process.env, ...QUIET };
  return spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status === 0;
};

buildIfOld();
mkdirSync(join(root, '.cache'), { recursive: true });
const isMade = run('The document', join('dist', 'src', 'commands', 'print-openapi.js'), DOCUMENT);
if (!isMade) process.exit(1);

const isFine = [
  run(
    'Spectral',
    program('@stoplight/spectral-cli', 'spectral'),
    ...[
      'lint',
      '--ruleset',
      '.spectral.yaml',
      '--fail-severity',
      'warn',
      '--fail-on-unmatched-globs',
      DOCUMENT,
    ],
  ),
  run(
    'Redocly',
    program('@redocly/cli', 'redocly'),
    'lint',
    '--config',
    'redocly.yaml',
    '--format',
    'stylish',
    DOCUMENT,
  ),
].every(Boolean);
process.exit(isFine ? 0 : 1);

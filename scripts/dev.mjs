/**
 * `npm run dev`: compiles on every change and restarts the service when what it runs has changed. Ctrl-C stops both;
 * when one of them ends by itself, so does the other.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildIfOld, root } from './build-if-old.mjs';

// The service needs something to start from; after that the compiler keeps it current.
buildIfOld();

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js');
const start = (...args) => spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
const children = [
  start(tsc, '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'),
  start(vite, 'build', '--watch', '--config', 'static/vite.config.mjs', '--logLevel', 'warn'),
  start(
    '--watch',
    '--watch-preserve-output',
    '--enable-source-maps',
    '--disable-proto=delete',
    'dist/src/main.js',
  ),
];

const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
const stop = () => {
  for (const child of children) child.kill('SIGTERM');
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

await Promise.race(ended);
stop();
await Promise.all(ended);

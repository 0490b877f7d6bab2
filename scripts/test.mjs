/**
 * `npm test`: all tests; `npm test -- core` those whose path holds the word. Arguments go to Jest, whose exit code stays.
 * The service is built first when it is missing or old, for some tests start it as a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { buildIfOld, root } from './build-if-old.mjs';

buildIfOld();
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = ['node_modules/jest/bin/jest.js', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [...flags, ...jest], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);

/** `npm run migrate`, `make-admin`…: builds what is missing or old, then runs the tool of that name with the arguments after it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfOld, root } from './build-if-old.mjs';

const [name] = process.argv.splice(2, 1);
buildIfOld();
await import(pathToFileURL(join(root, 'dist/src/commands', `${name}.js`)).href);

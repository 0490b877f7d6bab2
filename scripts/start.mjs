/** `npm start`: builds what is missing or old, then becomes the service. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { buildIfOld, root } from './build-if-old.mjs';

buildIfOld();
await import(pathToFileURL(join(root, 'dist/src/main.js')).href);

/** `npm run budgets`: how much the dashboard sends, against what it may. Builds it first when it is missing or old. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfOld, root } from './build-if-old.mjs';

const KIB = 1024;
/** In bytes, as brotli leaves them. */
const BUDGETS = { entry: 40 * KIB, route: 30 * KIB, style: 12 * KIB };

buildIfOld();
const folder = join(root, 'dist', 'static');
const manifest = JSON.parse(readFileSync(join(folder, '.vite', 'manifest.json'), 'utf8'));
const sizeOf = (file) => statSync(join(folder, `${file}.br`)).size;

/** The files that a chunk needs besides those that are there already. */
function filesOf(name, known = new Set()) {
  const chunk = manifest[name];
  if (!chunk || known.has(name)) return [];
  known.add(name);
  return [chunk.file, ...(chunk.imports ?? []).flatMap((each) => filesOf(each, known))];
}

const [entry] = Object.keys(manifest).filter((name) => manifest[name].isEntry);
const atFirst = new Set();
const entryFiles = filesOf(entry, atFirst);
const rows = [['entry', entryFiles, BUDGETS.entry]];
for (const [name, chunk] of Object.entries(manifest))
  if (chunk.isDynamicEntry)
    rows.push([name.replace('src/', ''), filesOf(name, new Set(atFirst)), BUDGETS.route]);
const styles = Object.values(manifest).flatMap(({ file, css = [] }) =>
  [file, ...css].filter((each) => each.endsWith('.css')),
);
rows.push(['style sheets', [...new Set(styles)], BUDGETS.style]);

let isOver = false;
for (const [name, files, budget] of rows) {
  const size = files.reduce((sum, file) => sum + sizeOf(file), 0);
  isOver ||= size > budget;
  console.log(`${size > budget ? 'OVER' : 'ok  '} ${String(size).padStart(7)} of ${budget} bytes  ${name}`);
}
process.exit(isOver ? 1 : 0);

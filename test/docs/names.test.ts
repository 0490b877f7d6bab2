/** What the documentation tells people to type names scripts, files, options and settings that there are. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../../src/platform/config/settings.js';
import { BLOCKS, PAGES, proseOf } from './pages.js';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const TESTS = namesIn('test');
const BENCHES = namesIn('bench');
const SETTING_NAMES = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
/** Set for Node, for a test, for a program beside the service or for the shell. */
const OTHER_VARIABLES = /^(NODE_EXTRA_CA_CERTS|VEXIL_\w+|CHAOS_SEED|FUZZ_\w+|POSTGRES_PASSWORD|ADMIN_KEY)$/;

function namesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

/** Where what stands in `dist/` comes from. */
const sourceOf = (path: string): string =>
  path.startsWith('dist/') ? path.replace(/^dist\//, '').replace(/\.js$/, '.ts') : path;

/** What is wrong with the names in a command, or in several. */
export function mistakesIn(commands: string): string[] {
  const mistakes: string[] = [];
  const wants = (isThere: boolean, mistake: string): void => {
    if (!isThere) mistakes.push(mistake);
  };
  for (const [, script = ''] of commands.matchAll(/\bnpm run (?:-s |--silent )?([\w:-]+)/g))
    wants(script in scripts, `no script ${script}`);
  for (const [, kind = '', word = ''] of commands.matchAll(
    /\bnpm (test|run bench|run test:chaos) -- (\w[\w-]*)/g,
  )) {
    const files = kind === 'run bench' ? BENCHES : TESTS.map((name) => `test/${name}`);
    const chosen = files.filter((name) => kind !== 'run test:chaos' || name.startsWith('test/chaos/'));
    wants(
      chosen.some((name) => name.includes(word)),
      `npm ${kind} finds nothing for ${word}`,
    );
  }
  for (const [, path = '', rest = ''] of commands.matchAll(
    /\bnode (?:--[\w=-]+ )*([\w./-]+\.m?js)\b([^\n|&`]*)/g,
  )) {
    wants(existsSync(sourceOf(path)), `no file ${path}`);
    if (!existsSync(path)) continue;
    for (const [, option = ''] of rest.matchAll(/ --([a-z][\w-]*)/g))
      wants(readFileSync(path, 'utf8').includes(option), `${path} has no option --${option}`);
  }
  for (const [, name = ''] of commands.matchAll(/scripts\/command\.mjs ([\w-]+)/g))
    wants(existsSync(`src/commands/${name}.ts`), `no command ${name}`);
  for (const [path] of commands.matchAll(
    /(?<![\w/.:-])(?<!exec )(?:deploy|bench|scripts|examples)\/[\w./-]*\w/g,
  ))
    wants(existsSync(path), `no file ${path}`);
  return mistakes;
}

const pages = PAGES.filter(({ path }) => !/^(docs\/adr\/\d|CHANGELOG)/.test(path)).map(
  (page) => [page.path, page] as const,
);

it.each(pages)('%s names in passing what there is to type', (_, page) => {
  const inline = [...proseOf(page).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  expect(inline.flatMap(mistakesIn)).toEqual([]);
  const settings = inline.map((code) => /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=/.exec(code)?.[1] ?? '');
  expect(
    settings.filter((name) => name !== '' && !SETTING_NAMES.has(name) && !OTHER_VARIABLES.test(name)),
  ).toEqual([]);
});

describe.each(BLOCKS.map((block) => [`${block.page}:${block.line}`, block] as const))('%s', (_, { text }) => {
  it('is what a shell can read', () => {
    expect(() =>
      execFileSync('bash', ['-n'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] }),
    ).not.toThrow();
  });

  it('names what there is', () => {
    expect(mistakesIn(text)).toEqual([]);
  });
});

it.each([
  ['npm run biuld', 'no script biuld'],
  ['npm run bench -- evaluate-htpp', 'npm run bench finds nothing for evaluate-htpp'],
  ['npm run test:chaos -- nothing-here', 'npm run test:chaos finds nothing for nothing-here'],
  ['node --disable-proto=delete dist/src/maim.js', 'no file dist/src/maim.js'],
  ['node scripts/command.mjs make-amdin', 'no command make-amdin'],
  ['node bench/load/autocannon.mjs --fleg x', 'bench/load/autocannon.mjs has no option --fleg'],
  ['kubectl apply -k deploy/kubernets', 'no file deploy/kubernets'],
])('a mistake in %j is seen', (command, mistake) => {
  expect(mistakesIn(command)).toEqual([mistake]);
});

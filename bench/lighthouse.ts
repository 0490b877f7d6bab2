/** Google's Lighthouse (Apache-2.0), at the version named here, in a folder that git ignores: it is no package of ours. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const VERSION = '13.5.0';
const PATIENCE_MS = 180_000;
const folder = resolve('.cache/lighthouse');
const installed = resolve(folder, 'node_modules/lighthouse');

/** Shares of what can be reached, in per cent, and what keeps the page from all of it. */
export interface LighthouseVerdict {
  readonly scores: Readonly<Record<string, number>>;
  readonly flaws: readonly string[];
}

interface Report {
  readonly finalDisplayedUrl: string;
  readonly categories: Readonly<
    Record<
      string,
      { readonly score: number | null; readonly auditRefs: readonly { id: string; weight: number }[] }
    >
  >;
  readonly audits: Readonly<Record<string, { readonly score: number | null; readonly title: string }>>;
}

function install(): void {
  const isThere =
    existsSync(installed) &&
    (JSON.parse(readFileSync(resolve(installed, 'package.json'), 'utf8')) as { version?: unknown })
      .version === VERSION;
  if (isThere) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    resolve(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: { lighthouse: VERSION } }),
  );
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/**
 * Runs it while this process goes on: Playwright, in here, has each new tab of its browser wait for a word from it. It is
 * ended once it said everything, because closing its tab in a browser that others use too may take for ever.
 */
function report(args: readonly string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const tooLong = setTimeout(() => child.kill(), PATIENCE_MS);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (/\n}\s*$/.test(said.slice(-8))) child.kill();
    });
    child.on('close', () => {
      clearTimeout(tooLong);
      try {
        resolve(JSON.parse(said) as Report);
      } catch {
        reject(new Error('Lighthouse said nothing whole.'));
      }
    });
  });
}

/**
 * Looks at an address in a browser that runs, as it is: what that browser has stored stays. Says nothing of the machine: the
 * processor is slowed down and the network simulated as Lighthouse's desktop preset has it.
 * @param port of the browser's debugger
 */
export async function lighthouse(url: string, port: number): Promise<LighthouseVerdict> {
  install();
  const { finalDisplayedUrl, categories, audits } = await report([
    resolve(installed, 'cli/index.js'),
    url,
    `--port=${port}`,
    '--preset=desktop',
    '--disable-storage-reset',
    '--only-categories=performance,accessibility,best-practices',
    '--output=json',
    '--quiet',
  ]);
  if (finalDisplayedUrl !== url)
    throw new Error(`${url} led to ${finalDisplayedUrl}: that is another screen.`);
  return {
    scores: Object.fromEntries(
      Object.entries(categories).map(([name, { score }]) => [name, Math.round((score ?? 0) * 100)]),
    ),
    flaws: Object.entries(categories).flatMap(([name, { auditRefs }]) =>
      auditRefs
        .filter(({ id, weight }) => weight > 0 && (audits[id]?.score ?? 1) < 0.9)
        .map(({ id }) => `${name}: ${audits[id]?.title ?? id} (${id})`),
    ),
  };
}

/**
 * Runs every command of the documentation: blocks marked ```sh, page by page, against a started service. Whoever reads a page
 * has done what the README says before, so `VEXIL` and `TOKEN` are set, and all blocks of a page are one shell. A block that
 * follows a stream (`curl -N`) is left after its first event. What is not run here is in `elsewhere.ts`, with the reason.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ensureBuilt, PROJECT } from '../support/built-service.js';
import { Service } from '../support/service-process.js';
import { elsewhere, ELSEWHERE } from './elsewhere.js';
import { BLOCKS, pageOf } from './pages.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

/** Where the pages say that the service is. */
const ADDRESS = 'http://localhost:8000';
/** Counted, so that what the deployment page looks at is there, and never reached. */
const SETTINGS = {
  RATE_LIMIT_PER_MINUTE: '1000',

  STREAM_HEARTBEAT_SECONDS: '1',
};

let service: Service;
let token = '';
const home = mkdtempSync(join(tmpdir(), 'vexil-docs-'));
beforeAll(async () => {
  await ensureBuilt();
  service = await Service.running(SETTINGS);
  const said = await run('README.md', { more: '\necho; echo "token: $TOKEN"' });
  token = /^token: (\S+)$/m.exec(said)?.[1] ?? '';
  outputs.set('README.md', said);
}, 300_000);
afterAll(async () => {
  await (service as Service | undefined)?.close();
  rmSync(home, { recursive: true, force: true });
});

const outputs = new Map<string, string>();

interface Given {
  readonly at?: Service;
  readonly env?: Record<string, string>;
  /** Commands after those of the page. */
  readonly more?: string;
  /** What the reader puts into the commands. */
  readonly filled?: readonly (readonly [string, string])[];
}

/** Runs the blocks of a page in one shell. @returns what they print. @throws with it when one of them fails */
async function run(
  page: string,
  { at = service, env = {}, more = '', filled = [] }: Given = {},
): Promise<string> {
  let commands = BLOCKS.filter((block) => block.page === page && !elsewhere(block))
    .map(({ text }) => text)
    // Many an answer ends without a new line.
    .join('\necho\n');
  for (const [placeholder, value] of filled) commands = commands.replaceAll(placeholder, value);
  commands = commands
    .replaceAll(ADDRESS, at.client.url)
    // Nobody hears what it says after that, and that is no failure.
    .replaceAll(/^curl -N.*$/gm, (command) => `{ ${command} || [ $? = 23 ]; } | sed '/^data: /q'`);
  const variables = { PATH: process.env['PATH'], HOME: home, DATA_DIR: at.dataDir, VEXIL: at.client.url };
  const { stdout } = await promisify(execFile)(
    'bash',
    ['--norc', '-euo', 'pipefail', '-c', commands + more],
    {
      cwd: PROJECT,
      env: { ...variables, ...(token === '' ? {} : { TOKEN: token }), ...env },
    },
  );
  return stdout;
}

async function newKey(fields: object): Promise<string> {
  const { status, body } = await service.client.ask('/auth/api-keys', {
    method: 'POST',
    token,
    body: { name: 'Docs', ...fields },
  });
  expect(status).toBe(201);
  return body.secret as string;
}

/** What a reader of the page has at hand, and what the commands must say. */
const SPECIAL: Readonly<Record<string, { given?: () => Promise<Given>; says: readonly RegExp[] }>> = {
  'docs/api-keys.md': {
    given: async () => ({ env: { KEY: await newKey({ kind: 'server', environment_key: 'production' }) } }),
    says: [/"secret":"vx_server_/, /User bucket 139 is within 25% rollout/],
  },
  'docs/api.md': {
    says: [
      /"reason":"User bucket 139 is within 25% rollout"/,
      /"trace":\{"flag":"new-checkout"/,
      /"variant":"short"[^]*"reason_code":"TARGETING_MATCH"/,
      /^412$/m,
      /^304$/m,
      /^X-Total-Count: 1\r?$/im,
      /^HTTP\/1\.1 422/m,
      /"path":"colour"/,
    ],
  },
  'docs/compat.md': {
    given: async () => {
      const flag = {
        key: 'new-feature',
        name: 'New',
        environment_key: 'production',
        flag_type: 'percentage',
      };
      const made = await service.client.ask('/flags', {
        method: 'POST',
        token,
        body: { ...flag, rollout_percentage: 10 },
      });
      expect(made.status).toBe(201);
      return { env: { KEY: await newKey({ kind: 'admin', role: 'admin' }) } };
    },
    says: [/"_cache"/, /"rollout_percentage":75/],
  },
  'docs/people.md': { says: [/"path":"\/app\/invite#vx_invite_/] },
  'docs/sdk.md': { says: [/"secret":"vx_server_/] },
  'docs/stream.md': { says: [/^event: ruleset$/m, /^data: \{"spec_version":1,/m] },
};

const RUN_ALONE = ['README.md', 'docs/upgrading.md', 'docs/deployment.md', 'examples/README.md'];
const pages = [...new Set(BLOCKS.filter((block) => !elsewhere(block)).map(({ page }) => page))].filter(
  (page) => !RUN_ALONE.includes(page),
);

describe('the commands of', () => {
  it('README.md make a first flag, and it answers as the page shows', () => {
    const shown = /```json\n(\{.*?\})\n```/s.exec(pageOf('README.md').text)?.[1] ?? '';
    const answer = outputs.get('README.md')?.split(/(?=\{"enabled")/)[1] ?? '';
    expect(JSON.parse(answer.slice(0, answer.indexOf('}') + 1))).toEqual(JSON.parse(shown));
    expect(outputs.get('README.md')).toMatch(/"action":"created"/);
    expect(token).not.toBe('');
  });

  it.each(pages)('%s', async (page) => {
    const { given, says } = SPECIAL[page] ?? { says: [] };
    const said = await run(page, await given?.());
    for (const wanted of says) expect(said).toMatch(wanted);
  });

  it('docs/deployment.md show that a forged address changes nothing', async () => {
    const said = await run('docs/deployment.md');
    const left = [...said.matchAll(/remaining: (\d+)/gi)].map(([, count]) => Number(count));
    expect(left).toEqual([left[0]!, left[0]! - 1, left[0]! - 2]);
  });

  it('docs/upgrading.md take the newest migration back', async () => {
    const unused = await Service.prepared();
    try {
      const database = { DATA_DIR: unused.dataDir };
      await promisify(execFile)(process.execPath, ['scripts/command.mjs', 'migrate'], {
        cwd: PROJECT,
        env: { PATH: process.env['PATH'], ...database },
      });
      const newest = /(\w+),?\s*\];?\s*$/.exec(readFileSync('migrations/index.ts', 'utf8'))?.[1] ?? '';
      expect(newest).not.toBe('');
      expect(await run('docs/upgrading.md', { at: unused })).toContain(newest);
    } finally {
      await unused.close();
    }
  });

  it('examples/README.md make an admin, a flag and two keys', async () => {
    const fresh = await Service.running(SETTINGS);
    try {
      const setupToken = /setup token: {2}(\S+)/.exec(await fresh.banner())?.[1] ?? '';
      const said = await run('examples/README.md', {
        at: fresh,
        filled: [['<the setup token>', setupToken]],
        more: '\necho "keys: $VEXIL_API_KEY $VEXIL_CLIENT_KEY"',
      });
      expect(said).toMatch(/keys: vx_server_\S+ vx_client_\S+/);
    } finally {
      await fresh.close();
    }
  });
});

describe('the list of what is run elsewhere', () => {
  it.each(ELSEWHERE.map((entry) => [`${entry.page}: ${entry.begins}`, entry] as const))(
    '%s: is a block of the page, and says by whom or why',
    (_, entry) => {
      expect(BLOCKS.some((block) => elsewhere(block) === entry)).toBe(true);
      for (const [, path = ''] of (entry.because ?? '').matchAll(/`((?:test|scripts)\/[^`]+)`/g))
        expect(existsSync(path)).toBe(true);
      if (entry.by === undefined) expect(entry.because).toMatch(/\w{3,} \w+/);
      else expect(readFileSync(entry.by, 'utf8')).toContain(entry.page);
    },
  );

  it('has no command that fails in silence among those that are run', () => {
    const silent = BLOCKS.filter((block) => !elsewhere(block)).flatMap(({ page, text }) =>
      text
        .split(/\bcurl\b/)
        .slice(1)
        .filter((rest) => !/(^|\s)(-\w*[fi]\w*|-D -|-w )/.test(rest))
        .map((rest) => `${page}: curl${rest.split('\n')[0]}`),
    );
    expect(silent).toEqual([]);
  });
});

/** What examples/README.md tells people to run, against the running service. The page is run by `npm run test:browser`. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { serverKey, type MadeKey } from '../api-keys/support.js';
import { Api, eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { installSdk } from '../support/built-sdk.js';
import { NodeProcess } from '../support/service-process.js';

let vexil: TestApp;
let api: Api;
let key: MadeKey;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'vexil-examples-'));
  cpSync(resolve('examples'), join(home, 'examples'), { recursive: true });
  await installSdk(home);
  symlinkSync(resolve('node_modules/@openfeature'), join(home, 'node_modules/@openfeature'));
  vexil = await startApp();
  api = new Api(vexil);
  await api.newFlag({
    key: 'new-checkout',
    flag_type: 'percentage',
    rollout_percentage: 50,
    is_enabled: true,
  });
  key = await serverKey(vexil);
});
afterAll(async () => {
  await vexil.close();
  rmSync(home, { recursive: true, force: true });
});

const start = (name: string, args: string[] = [], env: Record<string, string> = {}) =>
  new NodeProcess(join(home, 'examples', name, 'main.mjs'), args, {
    VEXIL_URL: vexil.url,
    VEXIL_API_KEY: key.secret,
    ...env,
  });

/** As the service decides, line by line. */
async function expected(): Promise<string> {
  const lines = ['alice', 'bob', 'carol'].map(async (user) => {
    const { value, variant, reason_code: reason } = await api.evaluate('new-checkout', user);
    return `${user}: ${String(value)} (${String(variant)}, ${String(reason)})`;
  });
  return `${(await Promise.all(lines)).join('\n')}\n`;
}

describe.each(['node', 'openfeature'])('examples/%s', (name) => {
  it('decides as the service does, and ends', async () => {
    const { code, stdout, stderr } = await start(name, ['--once']).exited;
    expect([code, stdout, stderr]).toEqual([0, await expected(), '']);
  });

  it('follows the changes', async () => {
    const running = start(name);
    try {
      await eventually(() => running.stdout.includes('Ctrl-C ends'), 60_000);
      await api.change('new-checkout', { rollout_percentage: 100 });
      const after = await expected();
      await eventually(() => running.stdout.endsWith(after), 60_000);
      expect(running.stdout).toContain(': new-checkout\n');
      running.signal('SIGINT');
      expect((await running.exited).code).toBe(0);
    } finally {
      running.signal('SIGKILL');
      await api.change('new-checkout', { rollout_percentage: 50 });
    }
  });

  it('says what is missing', async () => {
    const { code, stderr } = await start(name, [], { VEXIL_API_KEY: '' }).exited;
    expect([code, stderr]).toEqual([1, expect.stringContaining('VEXIL_API_KEY')]);
  });
});

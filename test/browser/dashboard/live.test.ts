import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { Dashboard, furnish, isSet, settled, type Json } from './support.js';

let dashboard: Dashboard;
let network: TcpProxy;
beforeAll(async () => {
  dashboard = await Dashboard.open();
  await dashboard.people();
  await furnish(dashboard);
  network = await TcpProxy.to(dashboard.service.port);
});
afterAll(async () => {
  network.close();
  await dashboard.close();
});

const CUTS = 20;
const KEYS = ['new-checkout', 'pricing-test', 'dark-mode'];
const PLACES = ['Development', 'Staging', 'Production'];

const pill = (page: Page, text: string) => page.locator('.pill', { hasText: text }).waitFor();
const toggle = (key: string, environment: string, isEnabled: boolean): Promise<Json> =>
  dashboard.ask('PUT', `/flags/${key}?environment_key=${environment}`, { is_enabled: isEnabled });

async function states(): Promise<[string, boolean][]> {
  const rows = (await dashboard.ask('GET', '/flag-table?limit=50')) as unknown as {
    key: string;
    environments: { environment_key: string; is_enabled: boolean }[];
  }[];
  return rows.flatMap(({ key, environments }) =>
    environments.map((cell): [string, boolean] => [
      `${key} in ${PLACES.find((name) => name.toLowerCase() === cell.environment_key) ?? ''}`,
      cell.is_enabled,
    ]),
  );
}

it('shows every change that others made while its connection was cut 20 times', async () => {
  const page = await dashboard.page('/app/flags', { as: 'viewer', through: network });
  await settled(page);
  await pill(page, 'Live');
  for (let cut = 0; cut < CUTS; cut += 1) {
    const isEnabled = cut % 2 === 0;
    const [key = '', other = ''] = [KEYS[cut % KEYS.length], KEYS[(cut + 1) % KEYS.length]];
    // One as the line goes down: its news may be there, and what follows from them not.
    const first = toggle(key, 'development', isEnabled);
    if (cut % 3 === 0) await first;
    network.break('cut');
    await pill(page, 'Reconnecting');
    await first;
    await toggle(other, 'staging', isEnabled);
    await toggle(key, 'production', !isEnabled);
    network.heal('reset');
    // As the browser says when there is a network again; else the next attempt may be seconds away.
    await page.evaluate(`dispatchEvent(new Event('online'))`);
    await pill(page, 'Live');
  }
  const wanted = await states();
  expect(wanted).toHaveLength(KEYS.length * PLACES.length);
  for (const [name, isEnabled] of wanted) await isSet(page, name, isEnabled);
  await page.context().close();
});

it('says that it is offline after a minute, changes nothing then, and goes on when the line is back', async () => {
  const page = await dashboard.page('/app/flags', { as: 'admin', through: network, hasClock: true });
  await settled(page);
  await pill(page, 'Live');
  network.break('cut');
  await pill(page, 'Reconnecting');
  await page.clock.fastForward(70_000);
  await pill(page, 'Offline · read-only');
  await page.locator('#cannot-write', { hasText: 'has not answered for a minute' }).waitFor();
  await page.locator('.switch[aria-disabled=true]').first().waitFor();
  expect(await page.getByRole('button', { name: 'New flag' }).isDisabled()).toBe(true);
  network.heal('reset');
  await page.evaluate(`dispatchEvent(new Event('online'))`);
  await pill(page, 'Live');
  await page.getByRole('button', { name: 'New flag', disabled: false }).waitFor();
  await page.context().close();
});

describe('a screen while it loads', () => {
  const SCREENS = [
    ['/app/flags', '.flag-table'],
    ['/app/flags/new-checkout?env=development', '.rules'],
    ['/app/audit', '.timeline'],
    ['/app/segments?env=development', '.table'],
  ] as const;

  it.each(SCREENS)('%s does not move what is there, and shows what it has once', async (path, content) => {
    const page = await dashboard.page('about:blank', { as: 'admin' });
    await page.addInitScript(`(() => {
      const seen = (globalThis.seen = { shift: 0, moved: [], wasThere: false, flashes: 0 });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          seen.shift += entry.value;
          for (const { node } of entry.sources) seen.moved.push(node?.className ?? node?.nodeName);
        }
      }).observe({ type: 'layout-shift', buffered: true });
      new MutationObserver(() => {
        const isThere = document.querySelector(${JSON.stringify(content)}) !== null;
        if (seen.wasThere && (!isThere || document.querySelector('.skeleton'))) seen.flashes += 1;
        seen.wasThere ||= isThere;
      }).observe(document, { childList: true, subtree: true });
    })()`);
    await page.goto(path);
    await page.locator(content).first().waitFor();
    await pill(page, 'Live');
    // What is read anew once somebody follows is here, too, and was painted.
    await page.waitForLoadState('load');
    await page.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`);
    const seen = await page.evaluate<{ shift: number; moved: string[]; flashes: number }>('seen');
    expect([seen.shift < 0.02, seen.moved, seen.flashes]).toEqual([true, seen.moved, 0]);
    await page.context().close();
  });
});

it('no page ever complained', () => {
  expect(dashboard.complaints).toEqual([]);
});

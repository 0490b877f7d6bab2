import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  Dashboard,
  DESKTOP,
  furnish,
  LOOKS,
  looks,
  MOST_SHIFTED,
  PHONE,
  settled,
  shifted,
  TWO_LOOKS,
} from './support.js';

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await Dashboard.open();
});
afterAll(() => dashboard.close());

const SCREENS = [
  ['flags', '/app/flags'],
  ['flag', '/app/flags/new-checkout?env=production'],
  ['flag-weights', '/app/flags/pricing-test?env=staging'],
  ['unknown flag', '/app/flags/nope?env=staging'],
  ['usage', '/app/flags/new-checkout?env=production&tab=usage'],
  ['definition', '/app/flags/new-checkout?env=development&tab=definition'],
  ['segments', '/app/segments?env=staging'],
  ['segment', '/app/segments/beta-users?env=development'],
  ['playground', '/app/playground?flag=new-checkout&env=production'],
  ['audit', '/app/audit'],
  ['environments', '/app/environments'],
  ['api-keys', '/app/api-keys'],
  ['users', '/app/users'],
  ['start', '/app/start'],
] as const;

async function inspect(name: string, path: string, as?: string): Promise<void> {
  const page = await dashboard.page(path, as === undefined ? {} : { as });
  await settled(page);
  // The roles differ in what may be pressed, and not in how it is laid out: one look each is enough for the others.
  const wanted = as === 'developer' ? TWO_LOOKS.slice(0, 1) : as === 'viewer' ? TWO_LOOKS.slice(1) : LOOKS;
  await looks(page, as === undefined ? name : `${name} ${as}`, wanted);
  await page.context().close();
}

/** Two at a time: while one page is looked at, the other one loads. */
async function inspectAll(screens: readonly (readonly [string, string])[], as?: string): Promise<void> {
  const left = [...screens];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) await inspect(...next, as);
  };
  await Promise.all([work(), work()]);
}

it('the first run is fit for everybody', () => inspect('setup', '/app/login'));

describe('with nothing in it yet', () => {
  beforeAll(() => dashboard.people());

  it('each screen teaches what could be there', () =>
    inspectAll(
      ['flags', 'segments', 'audit', 'api-keys'].map((name) => [`empty ${name}`, `/app/${name}`]),
      'admin',
    ));

  it('the door is fit for everybody', () =>
    inspectAll(['login', 'register'].map((name) => [name, `/app/${name}`])));
});

describe('with flags in it', () => {
  beforeAll(() => furnish(dashboard));

  it.each(['admin', 'developer', 'viewer'])('every screen is fit for the role %s', async (as) => {
    await inspectAll(SCREENS, as);
  });

  it('shows a flag in three environments without scrolling sideways in between', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin', size: { width: 1024, height: 768 } });
    await settled(page);
    const hidden = await page.evaluate(
      `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.flag-table'))`,
    );
    expect(hidden).toBe(0);
    await page.context().close();
  });

  // 720 pixels are what is left of 1440 for who reads everything at twice its size.
  it.each([320, 720])('has room on %i pixels', async (width) => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await page.setViewportSize({ width, height: 640 });
    for (const [name, path] of SCREENS) {
      await page.goto(path);
      await settled(page);
      expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width]);
    }
    await page.context().close();
  });

  it.each([DESKTOP, PHONE])('stays where it is while it loads, %j', async (size) => {
    await dashboard.ask('POST', '/auth/invites', { role: 'viewer' });
    const page = await dashboard.page('/app/flags', { as: 'admin', size });
    for (const [name, path] of SCREENS) {
      await page.goto(path);
      await settled(page);
      expect([name, (await shifted(page)) < MOST_SHIFTED]).toEqual([name, true]);
    }
    await page.context().close();
  });

  const DIALOGS: readonly (readonly [string, string, (page: Page) => Promise<void>])[] = [
    [
      'a confirmation',
      '/app/flags',
      (page) => page.getByRole('switch', { name: 'new-checkout in Production' }).click(),
    ],
    ['the palette', '/app/flags', (page) => page.keyboard.press('Control+k')],
    ['the shortcuts', '/app/flags', (page) => page.keyboard.press('?')],
    ['a new flag', '/app/flags', (page) => page.getByRole('button', { name: 'New flag' }).click()],
    [
      'a bulk change',
      '/app/flags',
      async (page) => {
        await page.getByLabel('Select all flags on this page').check();
        await page.getByRole('button', { name: 'Archive…' }).click();
      },
    ],
    [
      'changes of a flag',
      '/app/flags/new-checkout?env=development',
      async (page) => {
        await page.getByLabel('Off variant').selectOption('on');
        await page.getByRole('button', { name: 'View changes' }).click();
      },
    ],
    [
      'samples',
      '/app/flags/new-checkout?env=development',
      (page) => page.getByRole('button', { name: 'Try on samples…' }).click(),
    ],
    [
      'a reversion',
      '/app/audit?type=flag',
      async (page) => {
        await dashboard.ask('PUT', '/flags/dark-mode?environment_key=staging', { owner: 'somebody' });
        await page.reload();
        await page.getByRole('button', { name: 'Revert' }).first().click();
      },
    ],
    ['a new segment', '/app/segments', (page) => page.getByRole('button', { name: 'New segment' }).click()],
    [
      'a new environment',
      '/app/environments',
      (page) => page.getByRole('button', { name: 'New environment' }).click(),
    ],
    [
      'an environment to be deleted',
      '/app/environments',
      (page) => page.getByRole('button', { name: 'Delete Staging' }).click(),
    ],
    [
      'a key and its secret',
      '/app/api-keys',
      async (page) => {
        await page.getByRole('button', { name: 'New key' }).first().click();
        await page.getByRole('dialog').getByLabel('Name').fill('Shown once');
        await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click();
        await page.getByLabel('I have stored it').waitFor();
      },
    ],
    ['an invitation', '/app/users', (page) => page.getByRole('button', { name: 'Invite' }).click()],
    [
      'somebody disabled',
      '/app/users',
      (page) => page.getByRole('button', { name: 'Disable', disabled: false }).first().click(),
    ],
  ];

  it.each(DIALOGS)('%s is fit for everybody', async (name, path, open) => {
    const page = await dashboard.page(path, { as: 'admin' });
    await settled(page);
    await open(page);
    await page.getByRole('dialog').waitFor();
    await looks(page, `dialog ${name}`, TWO_LOOKS);
    await page.context().close();
  });

  it('a dialog gives focus back to what opened it', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await settled(page);
    await page.getByRole('button', { name: 'New flag' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'New flag' }).and(page.locator(':focus')).waitFor();
    await page.context().close();
  });
});

describe('with a dozen environments in it', () => {
  beforeAll(async () => {
    // Names as people give them.
    const regions = ['EU', 'US', 'Asia-Pacific'].flatMap((region) => [
      { name: `Production ${region}`, protected: true },
      { name: `${region} staging` },
      { name: `${region} load test` },
    ]);
    for (const [index, region] of regions.entries())
      await dashboard.ask('POST', '/environments', { key: `region-${index}`, ...region });
  });

  it.each([1024, 1440])('shows six of them on %i pixels without scrolling sideways', async (width) => {
    const page = await dashboard.page('/app/flags', { as: 'admin', size: { width, height: 768 } });
    await settled(page);
    expect(await page.locator('thead .environment-name').count()).toBe(6);
    const hidden = await page.evaluate(
      `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.flag-table'))`,
    );
    expect(hidden).toBe(0);
    await looks(page, `dozen ${width}`, TWO_LOOKS);
    await page.context().close();
  });

  it.each([1024, 1440])(
    'lets one reach each of them on %i pixels without scrolling for it',
    async (width) => {
      const page = await dashboard.page('/app/flags/new-checkout?env=region-8', {
        as: 'admin',
        size: { width, height: 768 },
      });
      await settled(page);
      const tabs = page.getByRole('navigation', { name: 'Environments' });
      expect(await tabs.getByRole('link').count()).toBe(12);
      const hidden = await page.evaluate(
        `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('nav.tabs'))`,
      );
      expect(hidden).toBe(0);
      await looks(page, `dozen tabs ${width}`, TWO_LOOKS);
      await page.context().close();
    },
  );
});

it('no screen ever complained', () => {
  expect(dashboard.complaints).toEqual([]);
});

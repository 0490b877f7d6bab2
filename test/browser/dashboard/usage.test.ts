import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/api.js';
import { flaws } from './axe.js';
import { Dashboard, DESKTOP, furnish, PHONE, picture, settled } from './support.js';

const USAGE = '/app/flags/new-checkout?env=production&tab=usage';
const USERS = 40;

let dashboard: Dashboard;
const ask = async (): Promise<void> => {
  for (let user = 0; user < USERS; user += 1)
    await dashboard.ask('GET', `/evaluate/new-checkout?environment_key=production&user_id=user-${user}`);
};
const counted = async (): Promise<unknown> =>
  (await dashboard.ask('GET', '/flags/new-checkout/usage?environment_key=production&period=hour'))['total'];

beforeAll(async () => {
  dashboard = await Dashboard.open();
  await dashboard.people();
  await furnish(dashboard);
});
afterAll(() => dashboard.close());

/** As when somebody comes back to a page: it looks again. */
const lookAgain = (page: Page): Promise<unknown> =>
  page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);

describe('how much a flag is used', () => {
  it('teaches how to use it first, and shows the first evaluations without being loaded anew', async () => {
    const page = await dashboard.page(USAGE, { as: 'viewer' });
    await page.getByText('No evaluations in the last hour').waitFor();
    expect(await flaws(page)).toEqual([]);
    await picture(page, 'usage-empty');
    await ask();
    await eventually(async () => (await counted()) === USERS);
    await lookAgain(page);
    await page.locator('.usage-chart canvas').waitFor();
    const rows = await page.locator('.usage tbody tr').allInnerTexts();
    const [on, off] = rows.slice(0, 2).map((row) => Number(/\t(\d+)\t/.exec(row)?.[1]));
    expect((on ?? 0) + (off ?? 0)).toBe(USERS);
    await page.context().close();
  });

  it('is drawn with what was changed meanwhile, and is fit for everybody in each theme and size', async () => {
    await dashboard.ask('PUT', '/flags/new-checkout?environment_key=production', { rollout_percentage: 60 });
    for (const [theme, size] of [
      ['light', DESKTOP],
      ['dark', PHONE],
    ] as const) {
      const page = await dashboard.page(USAGE, { as: 'admin', theme, size });
      await settled(page);
      await page.getByText('25% → 60%').first().waitFor();
      await page.getByText('Every minute as a table').click();
      expect([theme, await flaws(page)]).toEqual([theme, []]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(size.width);
      await picture(page, `usage-${theme}-${size.width}`);
      await page.getByLabel('24 hours').click();
      await page.getByText('Every hour as a table').waitFor();
      await page.context().close();
    }
  });

  it('is drawn in other colours when the theme changes', async () => {
    const page = await dashboard.page(USAGE, { as: 'admin' });
    await page.locator('.usage-chart canvas').waitFor();
    const drawn = (): Promise<string> =>
      page.evaluate(`document.querySelector('.usage-chart canvas').toDataURL()`);
    const light = await drawn();
    await page.emulateMedia({ colorScheme: 'dark' });
    await eventually(
      async () => (await page.locator('.usage-chart canvas').count()) === 1 && (await drawn()) !== light,
    );
    await page.context().close();
  });

  it('stands in the table of flags, and beside a rollout', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    const cell = page.locator('tr[data-flag="new-checkout"] .usage-cell');
    await cell.getByText(String(USERS)).waitFor();
    expect(await cell.locator('path').getAttribute('d')).toMatch(/^M0 /);
    await page.locator('tr[data-flag="dark-mode"] .usage-cell').getByText('none').waitFor();
    await page.goto('/app/flags/new-checkout?env=production');
    await page.getByText(`≈ ${USERS} evaluations an hour`).waitFor();
    await page.getByLabel('Everyone else: share of users in the rollout, in per cent').fill('80');
    await page.keyboard.press('Enter');
    await page.getByText(`At most ≈ ${USERS / 5} of ${USERS} evaluations an hour`).waitFor();
    await page.context().close();
  });

  it('never made a page complain', () => {
    expect(dashboard.complaints).toEqual([]);
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeWithPostgres, PostgresServer } from '../../support/postgres-server.js';
import { Dashboard, furnish, isSet, looks, settled } from './support.js';

const SCREENS = ['segments', 'audit', 'api-keys', 'users'];
const banner = (page: Page) =>
  page.locator('#cannot-write', { hasText: 'The database of Vexil does not answer.' });

describeWithPostgres('while the database is away', () => {
  let postgres: PostgresServer;
  let dashboard: Dashboard;
  beforeAll(async () => {
    postgres = await PostgresServer.running();
    dashboard = await Dashboard.open({ DATABASE_URL: postgres.url });
    await dashboard.people();
    await furnish(dashboard);
  });
  afterAll(async () => {
    await dashboard.close();
    await postgres.close();
  });

  it('shows what it has, changes nothing and says why, and goes on by itself when the database is back', async () => {
    const [page, ...others] = await Promise.all(
      ['/app/flags', '/app/segments/beta-users?env=development', '/app/audit'].map((path) =>
        dashboard.page(path, { as: 'admin' }),
      ),
    );
    if (!page) throw new Error('no page');
    for (const each of [page, ...others]) await settled(each);
    await postgres.kill();
    // Somebody runs into it: refused, taken back, and then nobody else has to.
    await page.getByRole('switch', { name: 'dark-mode in Staging' }).click();
    await banner(page).waitFor();
    await isSet(page, 'dark-mode in Staging', false);
    await page.locator('.switch[aria-disabled=true]').first().waitFor();
    expect(await page.getByRole('button', { name: 'New flag' }).isDisabled()).toBe(true);
    expect(await page.locator('tbody tr').count()).toBe(3);

    await looks(page, 'outage flags');
    // What is there stays; what is asked for anew cannot be had.
    await page.locator('.flag-key a', { hasText: 'pricing-test' }).click();
    await page.getByText('This could not be loaded').waitFor();
    await looks(page, 'outage flag');
    for (const name of SCREENS) {
      await page.locator(`#navigation a[href="/app/${name}"]`).click();
      await page.getByText('This could not be loaded').waitFor();
      await looks(page, `outage ${name}`);
    }
    await page.goto('/app/flags');
    await page.getByText('This could not be loaded').waitFor();
    await banner(page).waitFor();
    await looks(page, 'outage everything');

    await postgres.start();
    await page.getByRole('button', { name: 'New flag', disabled: false }).waitFor();
    await banner(page).waitFor({ state: 'detached' });
    await page.getByRole('switch', { name: 'dark-mode in Staging' }).click();
    await isSet(page, 'dark-mode in Staging', true);
    await page.getByText('dark-mode is on in staging').waitFor();
    for (const each of [page, ...others]) await each.context().close();
  });

  it('no page ever complained', () => {
    expect(dashboard.complaints).toEqual([]);
  });
});

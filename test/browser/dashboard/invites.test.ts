import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  Dashboard,
  LOOKS,
  looks,
  MOST_SHIFTED,
  PASSWORD,
  settled,
  shifted,
  TWO_LOOKS,
  type Json,
} from './support.js';

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await Dashboard.open();
  await dashboard.people();
});
afterAll(() => dashboard.close());

const row = (page: Page, text: string | RegExp) => page.getByRole('row').filter({ hasText: text });
const invite = async (body: Json): Promise<string> =>
  String((await dashboard.ask('POST', '/auth/invites', body))['path']);

/** Fills in who one is; the address is there already where the invitation is for one. */
async function fillIn(
  page: Page,
  fields: { name: string; email?: string; password?: string },
): Promise<void> {
  await page.getByLabel('Your name').fill(fields.name);
  if (fields.email !== undefined) await page.getByLabel('E-mail').fill(fields.email);
  await page.getByLabel('Password', { exact: true }).fill(fields.password ?? PASSWORD);
}

it('somebody is invited, accepts elsewhere, and is in the list with the role', async () => {
  const page = await dashboard.page('/app/users', { as: 'admin' });
  await settled(page);
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('E-mail (optional)').fill('viewer@example.com');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  await dialog.getByRole('alert').getByText('Email already registered').waitFor();
  await looks(page, 'invite refused', TWO_LOOKS.slice(1));
  await dialog.getByRole('radio', { name: /^Developer/ }).check();
  await dialog.getByLabel('E-mail (optional)').fill('robin@example.com');
  await dialog.getByLabel('Good for').selectOption('7 days');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  await dialog.getByRole('heading', { name: 'Send this link' }).waitFor();
  await looks(page, 'invite link');
  // What the dialog is there for is under the fingers; Enter on anything else would lose the link.
  await dialog.getByRole('button', { name: 'Copy the link' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Copied' }).waitFor();
  const link = String(await page.evaluate('navigator.clipboard.readText()'));
  await dialog.getByRole('button', { name: 'Done' }).click();
  await row(page, 'robin@example.com').getByRole('button', { name: 'Withdraw' }).waitFor();
  await looks(page, 'users invited');

  const token = link.split('#')[1] ?? '';
  const asked: string[] = [];
  const guest = await dashboard.page('/health/live');
  guest.on('request', (request) => asked.push(request.url()));
  await guest.goto(link);
  await guest.getByRole('heading', { name: 'Accept the invitation' }).waitFor();
  expect(await guest.getByLabel('E-mail').inputValue()).toBe('robin@example.com');
  await guest.getByText('developer', { exact: true }).waitFor();
  await guest.getByLabel('Your name').waitFor();
  expect(await shifted(guest)).toBeLessThan(MOST_SHIFTED);
  await looks(guest, 'invitation');
  await fillIn(guest, { name: '<img src=x onerror=alert(1)>', password: 'password1' });
  await guest.getByRole('button', { name: 'Create account' }).click();
  await guest.getByText('must not be one of the most common passwords').last().waitFor();
  await guest.getByRole('alert').and(guest.locator(':focus')).waitFor();
  await looks(guest, 'invitation refused', TWO_LOOKS);
  await guest.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await guest.keyboard.press('Enter');
  await guest.getByRole('heading', { name: 'Flags', level: 1 }).waitFor();
  expect(await guest.locator('.whoami').textContent()).toBe('robin@example.comdeveloper');
  expect(guest.url()).toBe(`${dashboard.url}/app/flags`);

  // Nobody reloads anything: the admin's page hears of it.
  const joined = row(page, 'robin@example.com');
  await joined.getByText('<img src=x onerror=alert(1)>').waitFor();
  expect(await joined.getByLabel('Role of robin@example.com').inputValue()).toBe('developer');
  await page.getByRole('heading', { name: 'Open invitations' }).waitFor({ state: 'detached' });

  expect(asked.filter((url) => url.split('#')[0]?.includes(token))).toEqual([]);
  await guest.goto('/app/audit?type=invite');
  await guest.getByText('accepted invitation').waitFor();
  await Promise.all([page.context().close(), guest.context().close()]);
});

it('one that was withdrawn is over, and so is a link that was cut', async () => {
  const path = await invite({ role: 'viewer' });
  const page = await dashboard.page('/app/users', { as: 'admin' });
  await page.getByRole('button', { name: 'Withdraw the invitation for one viewer' }).click();
  await looks(page, 'dialog an invitation withdrawn', TWO_LOOKS);
  await page.getByRole('dialog').getByLabel('Reason (optional)').fill('Wrong person');
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('The invitation is withdrawn').waitFor();
  await page.getByRole('heading', { name: 'Open invitations' }).waitFor({ state: 'detached' });
  await page.context().close();

  const guest = await dashboard.page(path);
  await guest.getByRole('heading', { name: 'This invitation is over' }).waitFor();
  await looks(guest, 'invitation over', LOOKS);
  await guest.goto('about:blank');
  await guest.goto(path.slice(0, -3));
  await guest.getByText('The link is not complete').waitFor();
  await looks(guest, 'invitation cut', TWO_LOOKS);
  await guest.getByRole('link', { name: 'Log in' }).click();
  await guest.getByRole('heading', { name: 'Log in' }).waitFor();
  await guest.context().close();
});

it('who is logged in already is told so, and can go on as somebody new', async () => {
  const path = await invite({ role: 'admin' });
  const page = await dashboard.page('/app/flags', { as: 'viewer' });
  await settled(page);
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`,
  );
  await page.getByText('You are logged in as viewer@example.com').waitFor();
  await looks(page, 'invitation for another', TWO_LOOKS);
  await page.getByRole('button', { name: 'Log out and accept it' }).click();
  await fillIn(page, { name: 'Sam', email: 'sam@example.com' });
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Flags', level: 1 }).waitFor();
  expect(await page.locator('.whoami').textContent()).toBe('sam@example.comadmin');
  await page.context().close();
});

it('a viewer sees that admins invite', async () => {
  const page = await dashboard.page('/app/users', { as: 'viewer' });
  const button = page.getByRole('button', { name: 'Invite' });
  expect(await button.isDisabled()).toBe(true);
  expect(await button.getAttribute('aria-describedby')).toBe('why-not');
  expect(await page.locator('#why-not').textContent()).toMatch(/^Admins .* invite people/);
  await page.context().close();
});

it('no page ever complained', () => {
  expect(dashboard.complaints).toEqual([]);
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually as patiently } from '../../support/api.js';
import { flaws } from './axe.js';
import { Dashboard, furnish, isSet, PATIENCE_MS, settled } from './support.js';

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await Dashboard.open({ LOGIN_ATTEMPTS_PER_MINUTE: '8' });
  await dashboard.people();
  await furnish(dashboard);
});
afterAll(() => dashboard.close());

const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
const eventually = (check: () => Promise<boolean>) => patiently(check, PATIENCE_MS);
const toggle = (key: string, is_enabled: boolean) =>
  dashboard.ask('PUT', `/flags/${key}?environment_key=staging`, { is_enabled });

describe('a switch', () => {
  it('moves before the service answers, comes back when it cannot be asked, and can be tried again', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await settled(page);
    let fail: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => (fail = resolve));
    await page.route('**/flags/dark-mode?**', async (route) => {
      await failed;
      await route.abort();
    });
    await page.getByRole('switch', { name: 'dark-mode in Staging' }).click();
    // Nothing has answered yet.
    await isSet(page, 'dark-mode in Staging', true);
    fail();
    await says(page, /dark-mode was not turned on in staging/);
    await isSet(page, 'dark-mode in Staging', false);
    await page.unroute('**/flags/dark-mode?**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await says(page, 'dark-mode is on in staging');
    await isSet(page, 'dark-mode in Staging', true);
    await page.context().close();
  });

  it('lets one undo it for eight seconds, and longer while one is about to', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin', hasClock: true });
    await settled(page);
    await page.getByRole('switch', { name: 'pricing-test in Development' }).click();
    const undo = page.getByRole('button', { name: 'Undo' });
    await undo.waitFor();
    await page.clock.fastForward(7_000);
    await undo.focus();
    // The page's own time goes on only here: it has to notice.
    await page.clock.runFor(500);
    await page.clock.fastForward(60_000);
    expect(await undo.isVisible()).toBe(true);
    await page.getByRole('searchbox').focus();
    await page.clock.runFor(500);
    await page.clock.fastForward(9_000);
    await undo.waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('marks what others changed, and not what oneself did', async () => {
    const page = await dashboard.page('/app/flags', { as: 'developer' });
    await settled(page);
    await says(page, 'Live');
    await page.evaluate(`(() => {
      globalThis.marked = [];
      new MutationObserver(() => {
        for (const row of document.querySelectorAll('tr.news')) globalThis.marked.push(row.dataset.flag);
      }).observe(document, { subtree: true, attributes: true, childList: true });
    })()`);
    await page.getByRole('switch', { name: 'new-checkout in Development' }).click();
    await says(page, 'new-checkout is off in development');
    await toggle('dark-mode', false);
    await page.locator('tr.news[data-flag=dark-mode]').waitFor();
    await isSet(page, 'dark-mode in Staging', false);
    expect(await page.evaluate('[...new Set(globalThis.marked)]')).toEqual(['dark-mode']);
    await page.context().close();
  });

  it('says its state without colours, and stands still for who wants no motion', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await settled(page);
    await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
    const [on, off, border] = await page.evaluate<string[]>(`['true', 'false'].map((state) =>
      getComputedStyle(document.querySelector('.switch[aria-checked=' + state + '] .knob')).translate
    ).concat(getComputedStyle(document.querySelector('.switch')).borderTopWidth)`);
    expect([on, off, border]).toEqual(['16px', 'none', '1px']);
    const moving = await page.evaluate(`[...document.querySelectorAll('*')].filter((each) =>
      /[1-9]/.test(getComputedStyle(each).transitionDuration + getComputedStyle(each).animationDuration)).length`);
    expect(moving).toBe(0);
    expect(await flaws(page)).toEqual([]);
    await page.context().close();
  });
});

describe('by keyboard', () => {
  it('nothing that has focus is hidden below the bar of unsaved changes', async () => {
    const page = await dashboard.page('/app/flags/pricing-test?env=development', { as: 'admin' });
    await settled(page);
    await page.setViewportSize({ width: 1024, height: 500 });
    await page.getByLabel('Off variant').selectOption('premium');
    await page.getByRole('region', { name: 'Unsaved changes' }).waitFor();
    await page.evaluate('scrollTo(0, 0); document.activeElement.blur()');
    const hidden: unknown[] = [];
    for (let steps = 0; steps < 60; steps += 1) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(`(() => {
        const it = document.activeElement;
        const bar = document.querySelector('.save-bar');
        if (it === document.body || bar.contains(it)) return null;
        const [mine, its] = [it.getBoundingClientRect(), bar.getBoundingClientRect()];
        const isBelow = mine.bottom > its.top + 1 && mine.top < its.bottom && mine.right > its.left && mine.left < its.right;
        return isBelow ? it.outerHTML.slice(0, 120) : null;
      })()`);
      if (name !== null) hidden.push(name);
    }
    expect(hidden).toEqual([]);
    await page.context().close();
  });

  it('a rule is moved by a button as by dragging it, and keeps the focus', async () => {
    const page = await dashboard.page('/app/flags/dark-mode?env=development', { as: 'admin' });
    await settled(page);
    for (const name of ['First', 'Second']) {
      await page.getByRole('button', { name: 'Rule', exact: true }).click();
      await page.getByLabel('Name (optional)').fill(name);
    }
    await page.getByRole('button', { name: 'Move Second up' }).focus();
    await page.keyboard.press('Enter');
    const order = (): Promise<string[]> => page.locator('.rule-words strong').allTextContents();
    expect(await order()).toEqual(['Second: ', 'First: ']);
    // It can go no further up, and is not lost for that.
    await page.getByRole('button', { name: 'Move Second down' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    expect(await order()).toEqual(['First: ', 'Second: ']);
    await page.locator('.rule .handle').nth(1).dragTo(page.locator('.rule').first());
    expect(await order()).toEqual(['Second: ', 'First: ']);
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.context().close();
  });

  it('a condition offers the attributes that other conditions speak of, and samples have', async () => {
    const page = await dashboard.page('/app/flags/dark-mode?env=development', { as: 'admin' });
    await page.evaluate(`localStorage.setItem('vexil.samples', '[{"user_id":"alice","shoe_size":41}]')`);
    await page.reload();
    await settled(page);
    await page.getByRole('button', { name: 'Rule', exact: true }).click();
    const offered = async (): Promise<string[]> => {
      const list = await page.getByLabel('Attribute', { exact: true }).getAttribute('list');
      const options = page.locator(`[id="${String(list)}"] option`);
      return options.evaluateAll((all) => all.map((each) => each.getAttribute('value') ?? ''));
    };
    // `plan` is asked by the segment.
    await eventually(async () => (await offered()).join() === 'plan,shoe_size,user_id');
    await page.context().close();
  });

  it('a moment is told exactly, here and in UTC', async () => {
    const page = await dashboard.page('/app/flags/dark-mode?env=staging', { as: 'viewer' });
    await settled(page);
    const told = (): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector('.page-head time'), '::after').content`);
    expect(await told()).toBe('none');
    await page.keyboard.press('Tab');
    await page.locator('.page-head time').focus();
    expect(await told()).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
    await page.context().close();
  });

  it('the palette names all flags that fit, and then what can be done to the one that is meant', async () => {
    await dashboard.ask('POST', '/flags', { key: 'dark-mode-menu', name: 'Dark mode of the menu' });
    const page = await dashboard.page('/app/audit', { as: 'developer' });
    await settled(page);
    await page.keyboard.press('Control+k');
    await page.getByLabel('Search flags, screens and actions').fill('dark-mode');
    await page.getByRole('option', { name: /^Turn (on|off) dark-mode in Staging/ }).waitFor();
    const labels = await page.locator('.palette-label').allTextContents();
    expect(labels.slice(0, 2)).toEqual(['dark-mode', 'dark-mode-menu']);
    await page.context().close();
  });

  it('the palette leads to everything that can be made, by who may', async () => {
    const made = async (as: string): Promise<string[]> => {
      const page = await dashboard.page('/app/audit', { as });
      await settled(page);
      await page.keyboard.press('Control+k');
      const found: string[] = [];
      for (const word of ['New', 'Invite']) {
        await page.getByLabel('Search flags, screens and actions').fill(word);
        await eventually(async () => (await page.getByRole('option', { name: 'Playground' }).count()) === 0);
        found.push(...(await page.locator('.palette-label').allTextContents()));
      }
      if (as === 'admin') {
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: 'Invite somebody' }).waitFor();
        await page.keyboard.press('Escape');
        await page.waitForURL((url) => !url.searchParams.has('new'));
      }
      await page.context().close();
      return found.filter((label) => /^(New|Invite) /.test(label));
    };
    const [flag, segment, ...rest] = ['New flag', 'New segment', 'New API key', 'New environment'];
    expect(await made('admin')).toEqual([flag, segment, ...rest, 'Invite somebody']);
    expect(await made('developer')).toEqual([flag, segment]);
    expect(await made('viewer')).toEqual([]);
  });
});

describe('the playground', () => {
  it('asks by a form, keeps the types, and gives the same as JSON and by its address', async () => {
    const page = await dashboard.page('/app/playground?flag=new-checkout&env=production', { as: 'viewer' });
    await page.getByLabel('Value of user_id').fill('carol');
    await page.getByLabel('Value of plan').fill('free');
    await page.getByRole('heading', { name: /25% rollout/ }).waitFor();
    await page.getByLabel('Value of plan').fill('pro');
    await page.getByRole('heading', { name: /Paying customers/ }).waitFor();
    await page.getByRole('button', { name: 'Attribute', exact: true }).click();
    await page.getByLabel('Name of attribute 4').fill('age');
    await page.getByLabel('Type of age').selectOption('number');
    await page.getByLabel('Value of age').fill('42');
    await page.getByRole('button', { name: 'As JSON' }).click();
    expect(JSON.parse(await page.getByRole('textbox', { name: 'Context' }).inputValue())).toEqual({
      user_id: 'carol',
      plan: 'pro',
      country: 'DE',
      age: 42,
    });
    await page.getByRole('textbox', { name: 'Context' }).fill('{"user_id": ');
    await says(page, /This is no JSON yet/);
    await page.getByRole('textbox', { name: 'Context' }).fill('{"user_id": "dave", "plan": "team"}');
    await page.getByRole('button', { name: 'Compare with another context' }).click();
    await page.getByRole('button', { name: /Why .* context 2/ }).waitFor();
    await page.getByRole('button', { name: 'Share' }).click();
    await says(page, 'The address is copied. It holds the contexts.');
    const address = String(await page.evaluate('navigator.clipboard.readText()'));
    const other = await dashboard.page(address, { as: 'viewer' });
    await other.getByRole('button', { name: /Why .* context 2/ }).waitFor();
    expect(new URL(other.url()).search).toBe('');
    await Promise.all([page.context().close(), other.context().close()]);
  });
});

describe('the audit log', () => {
  it('tells what was changed together as one thing, and all that somebody did', async () => {
    await dashboard.ask(
      'POST',
      '/segments',
      { key: 'together', name: 'Together' },
      dashboard.tokenOf('admin'),
    );
    const page = await dashboard.page('/app/audit?key=together', { as: 'viewer' });
    await settled(page);
    const entry = page.locator('.entry', { hasText: 'created segment together' });
    expect(await entry.count()).toBe(1);
    expect(await entry.locator('.environment-name').count()).toBe(3);
    await entry.getByRole('button', { name: /^3 changes/ }).click();
    expect(await page.locator('.entry-set .entry').count()).toBe(3);
    expect(await flaws(page)).toEqual([]);
    await page.goto('/app/audit');
    await page.getByRole('link', { name: 'developer@example.com' }).first().click();
    await says(page, 'Only what developer@example.com did');
    await eventually(async () => {
      const names = await page.locator('.entry .actor').allTextContents();
      return names.length > 0 && names.every((name) => name === 'developer@example.com');
    });
    await page.context().close();
  });
});

describe('the door', () => {
  it('takes a pasted password, and says that Caps Lock is on', async () => {
    const page = await dashboard.page('/app/login');
    const password = page.getByLabel('Password', { exact: true });
    await page.evaluate(`navigator.clipboard.writeText('correct horse')`);
    await password.focus();
    await page.keyboard.press('Control+v');
    expect(await password.inputValue()).toBe('correct horse');
    expect(await password.getAttribute('autocomplete')).toBe('current-password');
    await password.dispatchEvent('keyup', { key: 'a', modifierCapsLock: true });
    await says(page, 'Caps Lock is on.');
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await password.getAttribute('type')).toBe('text');
    await page.context().close();
  });

  it('says how long to wait after too many attempts', async () => {
    const page = await dashboard.page('/app/login');
    await page.getByLabel('E-mail').fill('nobody@example.com');
    const verb = page.getByRole('button', { name: 'Log in' });
    await eventually(async () => {
      await page.getByLabel('Password', { exact: true }).fill('wrong password');
      if (await verb.isEnabled()) await verb.click();
      return await page.getByText(/You can try again in \d+ seconds/).isVisible();
    });
    expect(await verb.isDisabled()).toBe(true);
    await page.context().close();
  });
});

it('no page ever complained', () => {
  expect(dashboard.complaints).toEqual([]);
});

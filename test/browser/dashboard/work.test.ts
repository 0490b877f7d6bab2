import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually as patiently } from '../../support/api.js';
import { ADMIN, Dashboard, furnish, isSet, PASSWORD, PATIENCE_MS, settled, type Json } from './support.js';

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await Dashboard.open();
});
afterAll(() => dashboard.close());

const flag = (key: string, environment = 'development'): Promise<Json> =>
  dashboard.ask('GET', `/flags/${key}?environment_key=${environment}`);
const eventually = (check: () => Promise<boolean>) => patiently(check, PATIENCE_MS);
const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

describe('the first run', () => {
  it('makes the first admin by the token in the log, and leads to the first flag', async () => {
    const token = /setup token: {2}(\S+)/.exec(await dashboard.service.banner())?.[1] ?? '';
    const invited = await dashboard.page(`/app/setup#${token}`);
    expect(await invited.getByLabel('Setup token').inputValue()).toBe(token);
    await invited.context().close();
    const page = await dashboard.page('/');
    await page.getByLabel('Setup token').fill('not the token');
    await page.getByLabel('Your name').fill(ADMIN.name);
    await page.getByLabel('E-mail').fill(ADMIN.email);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create admin' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('alert').and(page.locator(':focus')).waitFor();
    await page.getByLabel('Setup token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Getting started' }).waitFor();
    await page.getByRole('link', { name: 'New flag' }).click();
    await page.getByLabel('Name').fill('My first flag');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'my-first-flag' }).waitFor();
    await page.getByRole('switch', { name: 'my-first-flag in Development' }).click();
    await says(page, 'my-first-flag is on in development');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.context().close();
  });

  it('lets people in by password, and says no more than that it was wrong', async () => {
    const page = await dashboard.page('/app/audit');
    await page.getByLabel('E-mail').fill(ADMIN.email);
    await page.getByLabel('Password', { exact: true }).fill('wrong password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Audit log' }).waitFor();
    await page.context().close();
  });
});

describe('in the table of flags', () => {
  beforeAll(async () => {
    const session = await dashboard.ask('POST', '/auth/login', { email: ADMIN.email, password: PASSWORD });
    dashboard.adopt('admin', session);
    await dashboard.others();
    await furnish(dashboard);
  });

  it('turns a flag on at once, and back by Undo', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await page.getByRole('switch', { name: 'dark-mode in Staging' }).click();
    await isSet(page, 'dark-mode in Staging', true);
    await eventually(async () => (await flag('dark-mode', 'staging'))['is_enabled'] === true);
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually(async () => (await flag('dark-mode', 'staging'))['is_enabled'] === false);
    await isSet(page, 'dark-mode in Staging', false);
    await page.context().close();
  });

  it('wants the key typed where an environment is protected', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await page.getByRole('switch', { name: 'dark-mode in Production' }).click();
    const verb = page.getByRole('button', { name: 'Turn on' });
    expect(await verb.isDisabled()).toBe(true);
    await page.getByLabel('Type dark-mode to confirm').fill('dark-mode');
    await verb.click();
    await eventually(async () => (await flag('dark-mode', 'production'))['is_enabled'] === true);
    await page.context().close();
  });

  it('begins a rollout in a protected environment with one confirmation', async () => {
    await dashboard.ask('POST', '/flags', { key: 'one-step', name: 'One step' });
    const page = await dashboard.page('/app/flags/one-step?env=production', { as: 'admin' });
    const setShare = async (): Promise<void> => {
      await page.getByLabel('Percentage rollout').check();
      await page.getByLabel('Everyone else: share of users in the rollout, in per cent').fill('25');
      await page.keyboard.press('Tab');
    };
    await setShare();
    await page.getByRole('button', { name: 'Review and save' }).click();
    await page.getByLabel(/It is off in Production: turn it on, too/).check();
    await page.getByLabel('Type one-step to confirm').fill('one-step');
    await page.getByRole('button', { name: 'Save and turn on' }).click();
    await says(page, 'one-step is saved, and on in production');
    const rolledOut = { is_enabled: true, rollout_percentage: 25 };
    expect(await flag('one-step', 'production')).toMatchObject({ ...rolledOut, version: 2 });
    // Where nothing is confirmed, what is saved and off says so, and can be turned on from there.
    await page.goto('/app/flags/one-step?env=staging');
    await setShare();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await says(page, 'one-step is saved, and still off in staging');
    await page.getByRole('button', { name: 'Turn on' }).click();
    await says(page, 'one-step is on in staging');
    expect(await flag('one-step', 'staging')).toMatchObject(rolledOut);
    await page.context().close();
  });

  it('wants a reason where an environment asks for one, also where nothing is typed', async () => {
    await dashboard.ask('POST', '/flags', { key: 'argued', name: 'Argued' });
    const page = await dashboard.page('/app/environments', { as: 'admin' });
    await page.getByRole('button', { name: 'Edit Staging' }).click();
    await page.getByLabel('Ask for a reason with every change').check();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await says(page, 'Each change there needs a reason.');

    await page.goto('/app/flags');
    await page.getByRole('switch', { name: 'argued in Staging' }).click();
    const turnOn = page.getByRole('button', { name: 'Turn on' });
    expect([await turnOn.isDisabled(), await turnOn.getAttribute('title')]).toEqual([true, 'Say why first']);
    await page.getByLabel('Reason', { exact: true }).fill('a try');
    await turnOn.click();
    await says(page, 'argued is on in staging');
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually(async () => (await flag('argued', 'staging'))['is_enabled'] === false);

    // A name is the same everywhere: it asks also where it is changed from elsewhere.
    await page.goto('/app/flags/argued?env=development&tab=definition');
    await page.getByLabel('Name').fill('Argued about');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const save = page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true });
    expect(await save.isDisabled()).toBe(true);
    await page.getByLabel('Reason', { exact: true }).fill('clearer');
    await save.click();
    await says(page, 'argued is saved');
    expect(await flag('argued', 'staging')).toMatchObject({ name: 'Argued about', version: 4 });

    await page.goto('/app/flags?new');
    await page.getByLabel('Name').fill('Argued too');
    const create = page.getByRole('button', { name: 'Create flag' });
    expect(await create.isDisabled()).toBe(true);
    await page.getByLabel('Reason', { exact: true }).fill('to begin');
    await create.click();
    await page.getByRole('heading', { name: 'argued-too' }).waitFor();
    await dashboard.ask('PUT', '/environments/staging', { require_reason: false });
    await page.context().close();
  });

  it('takes a switch back and says who was faster, when the flag was changed meanwhile', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await settled(page);
    // The page does not hear of it in time.
    await page.route('**/flag-table**', (route) => route.abort());
    await dashboard
      .ask(
        'PUT',
        '/flags/dark-mode?environment_key=development',
        { owner: 'somebody' },
        dashboard.tokenOf('developer'),
      )
      .catch(() => undefined);
    await dashboard.ask('PUT', '/flags/dark-mode?environment_key=development', { off_variant: 'on' });
    await isSet(page, 'dark-mode in Development', false);
    await page.getByRole('switch', { name: 'dark-mode in Development' }).click();
    await says(page, /changed dark-mode meanwhile/);
    await isSet(page, 'dark-mode in Development', false);
    await page.context().close();
  });

  it('searches by words and terms, and keeps the search in the address', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type('#payments is:on@production');
    await says(page, '1 flag found');
    await page.waitForURL((url) => url.searchParams.get('q') === '#payments is:on@production');
    await page.reload();
    await says(page, '1 flag found');
    await page.context().close();
  });

  it('shows a viewer everything, and says why nothing can be changed', async () => {
    const page = await dashboard.page('/app/flags', { as: 'viewer' });
    const toggle = page.getByRole('switch', { name: 'new-checkout in Development' });
    await toggle.waitFor();
    await page.locator('[aria-disabled=true]').and(toggle).waitFor();
    await toggle.click({ force: true });
    expect(await page.locator('#why-not').textContent()).toMatch(/Viewers cannot/);
    await page.context().close();
  });
});

describe('a flag, by keyboard alone', () => {
  it('is made, rolled out, looked at in the playground and taken back', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await settled(page);
    const press = (key: string) => page.keyboard.press(key);
    const tabTo = async (name: string | RegExp): Promise<void> => {
      for (let steps = 0; steps < 120; steps += 1) {
        await press('Tab');
        const label = String(
          await page.evaluate(
            `(() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent; })()`,
          ),
        ).trim();
        if (typeof name === 'string' ? label === name : name.test(label)) return;
      }
      throw new Error(`Nothing called ${String(name)} can be reached by keyboard`);
    };
    /** Two keys that belong together, again should the machine have stood still between them. */
    const goTo = async (letter: string, heading: string): Promise<void> => {
      await page.evaluate('document.activeElement.blur()');
      await eventually(async () => {
        await press('g');
        await press(letter);
        return page.getByRole('heading', { name: heading, level: 1 }).isVisible();
      });
    };
    await press('Control+k');
    await page.getByRole('combobox').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('new flag');
    await page.getByRole('option', { name: 'New flag', selected: true }).waitFor();
    await press('Enter');
    // The palette is a dialog too.
    await page.getByRole('dialog', { name: 'New flag' }).waitFor();
    await page.getByLabel('Name').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('By keyboard');
    await press('Enter');
    await page.getByRole('heading', { name: 'by-keyboard' }).waitFor();
    await tabTo('by-keyboard in Development');
    await press('Space');
    await says(page, 'by-keyboard is on in development');
    await tabTo('One variant');
    await press('ArrowDown');
    await tabTo('Everyone else: share of users in the rollout, in per cent');
    await press('Control+a');
    await page.keyboard.type('25');
    await press('Tab');
    await says(page, /75% of those who come as far as here would get something else/);
    await tabTo('Save');
    await press('Enter');
    await says(page, 'by-keyboard is saved');
    expect(await flag('by-keyboard')).toMatchObject({ is_enabled: true, rollout_percentage: 25 });
    await goTo('p', 'Playground');
    await tabTo('Flags');
    await page.keyboard.type('by-keyboard');
    await press('Enter');
    await says(page, /25% rollout/);
    await goTo('a', 'Audit log');
    await page.getByRole('button', { name: 'Revert' }).first().waitFor();
    await tabTo('Revert');
    await press('Enter');
    await page.getByRole('dialog', { name: /^Revert change/ }).waitFor();
    await tabTo('Revert');
    await press('Enter');
    await eventually(async () => (await flag('by-keyboard'))['flag_type'] === 'boolean');
    await page.context().close();
  });
});

describe('two people at the same flag', () => {
  it('see each other’s changes, and neither overwrites the other', async () => {
    const [ana, dana] = await Promise.all([
      dashboard.page('/app/flags/new-checkout?env=staging', { as: 'admin' }),
      dashboard.page('/app/flags/new-checkout?env=staging', { as: 'developer' }),
    ]);
    const share = (page: Page) =>
      page.getByLabel('Everyone else: share of users in the rollout, in per cent');
    await Promise.all([share(ana).waitFor(), share(dana).waitFor()]);
    await says(ana, 'Live');
    await share(ana).fill('50');
    await share(ana).blur();
    await ana.getByText('1 change', { exact: true }).waitFor();
    await dana.getByRole('textbox', { name: /^Get on/ }).fill('carol');
    await dana.keyboard.press('Enter');
    await dana.getByRole('button', { name: 'Save', exact: true }).click();
    await says(dana, 'new-checkout is saved');
    // The one who edits is told, and decides.
    await says(ana, /saved version/);
    await ana.getByRole('alert').getByText('on: 1 listed user added: carol').waitFor();
    await ana.getByRole('button', { name: 'Compare' }).click();
    await ana
      .getByRole('dialog')
      .getByText('Everyone else: serve on to 50% of users, off to the rest')
      .waitFor();
    await says(ana, 'You changed other things. Keeping yours keeps theirs too.');
    await ana.getByRole('button', { name: 'Keep mine' }).last().click();
    await ana.getByRole('button', { name: 'Save', exact: true }).click();
    await says(ana, 'new-checkout is saved');
    const saved = await flag('new-checkout', 'staging');
    expect(saved).toMatchObject({
      rollout_percentage: 50,
      targets: [{ variant: 'on', keys: ['alice', 'carol'] }],
    });
    // The one who only looks sees it.
    await eventually(async () => (await share(dana).inputValue()) === '50');
    await Promise.all([ana.context().close(), dana.context().close()]);
  });

  it('leaves what is being typed where it is, while somebody else saves', async () => {
    const page = await dashboard.page('/app/flags/pricing-test?env=development', { as: 'admin' });
    const share = page.getByLabel('Everyone else: share of users in the rollout, in per cent');
    await share.waitFor();
    await says(page, 'Live');
    await share.click({ clickCount: 3 });
    await page.keyboard.type('75');
    const off = { off_variant: 'premium' };
    await dashboard.ask(
      'PUT',
      '/flags/pricing-test?environment_key=development',
      off,
      dashboard.tokenOf('developer'),
    );
    await says(page, /has just changed this flag/);
    expect(await share.inputValue()).toBe('75');
    await page.keyboard.press('Tab');
    await page.getByText('1 change', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.context().close();
  });

  it('keeps up with the table although the connection was cut', async () => {
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    await says(page, 'Live');
    await isSet(page, 'pricing-test in Development', true);
    await page.context().setOffline(true);
    await dashboard.ask('PUT', '/flags/pricing-test?environment_key=development', { is_enabled: false });
    await page.context().setOffline(false);
    await isSet(page, 'pricing-test in Development', false);
    await page.context().close();
  });
});

describe('what people write', () => {
  const PAYLOADS = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    'javascript:alert(1)',
    '<iframe srcdoc="<script>parent.alert(1)</script>">',
    '{{constructor.constructor("alert(1)")()}}',
    '${alert(1)}',
    '<a href="javascript:alert(1)">x</a>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '</title><script>alert(1)</script>',
    '<style>@import"//evil.example"</style>',
    '<link rel=stylesheet href=//evil.example>',
    '<base href=//evil.example>',
    '<meta http-equiv=refresh content="0;url=//evil.example">',
    '<object data=javascript:alert(1)>',
    '<details open ontoggle=alert(1)>',
    '<input autofocus onfocus=alert(1)>',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
    '\u202e<b onmouseover=alert(1)>x</b>',
  ];

  it('is text everywhere, whatever it looks like', async () => {
    for (const [index, text] of PAYLOADS.entries()) {
      const conditions = { all: [{ attribute: text.slice(0, 90), operator: 'in', values: [text] }] };
      await dashboard.ask('POST', '/flags', {
        key: `x${index}`,
        name: text,
        description: text,
        tags: [text.slice(0, 50).trim()],
        owner: text,
        value_type: 'string',
        variants: [{ key: 'a', value: text }],
        environment_key: 'development',
        targets: [{ variant: 'a', keys: [text] }],
        rules: [{ name: text, conditions, serve: { variant: 'a' } }],
        reason: text,
      });
      await dashboard.ask('POST', '/segments', {
        key: `x${index}`,
        name: text,
        description: text,
        included: [text],
        conditions,
        environment_key: 'development',
      });
    }
    const page = await dashboard.page('/app/flags', { as: 'admin' });
    const visit = async (path: string): Promise<void> => {
      await page.goto(path);
      await settled(page);
    };
    for (const name of ['flags', 'segments']) await visit(`/app/${name}`);
    for (const index of PAYLOADS.keys()) {
      await visit(`/app/flags/x${index}?env=development`);
      const words = await page.locator('.rule-words').textContent();
      expect(words).toContain(PAYLOADS[index]?.slice(0, 20) ?? '');
    }
    await page.context().close();
  });

  it('is text in lists, in dialogs, in what is said in passing, and in addresses', async () => {
    const all = PAYLOADS.join(' ');
    const conditions = { all: [{ attribute: all.slice(0, 100), operator: 'in', values: PAYLOADS }] };
    await dashboard.ask('POST', '/flags', {
      key: 'every-field',
      name: all.slice(0, 200),
      description: all,
      tags: PAYLOADS.map((text) => text.slice(0, 50).trim()),
      value_type: 'json',
      variants: PAYLOADS.map((text, index) => ({ key: `v${index}`, value: { [text]: text } })),
      environment_key: 'development',
      targets: [{ variant: 'v0', keys: PAYLOADS }],
      rules: PAYLOADS.map((name) => ({ name, conditions, serve: { variant: 'v1' } })),
      reason: all.slice(0, 500),
    });
    const onSegment = {
      environment_key: 'development',
      included: PAYLOADS.slice(1),
      excluded: [PAYLOADS[0]],
    };
    await dashboard.ask('POST', '/segments', { key: 'every-field', name: all.slice(0, 200), ...onSegment });
    await dashboard.ask('PUT', '/segments/every-field?environment_key=development', {
      description: all,
      conditions,
      reason: all.slice(0, 500),
    });
    for (const [index, text] of PAYLOADS.entries()) {
      const key = `e${index}`;
      await dashboard.ask('POST', '/environments', { key, name: text, description: text });
      await dashboard.ask('POST', '/auth/api-keys', { name: text, kind: 'server', environment_key: key });
    }
    // A password takes its time: two of them are enough for all.
    for (const half of [PAYLOADS.slice(0, 10), PAYLOADS.slice(10)])
      await dashboard.ask('POST', '/auth/register', {
        email: `somebody-${half.length}-${PAYLOADS.indexOf(half[0] ?? '')}@example.com`,
        password: PASSWORD,
        name: half.join(' ').slice(0, 100),
      });

    const page = await dashboard.page('/app/flags', { as: 'admin' });
    const visit = async (path: string): Promise<void> => {
      await page.goto(path);
      await settled(page);
    };
    const shows = async (path: string, texts: readonly string[]): Promise<void> => {
      await visit(path);
      const shown = String(await page.locator('main').textContent());
      expect(texts.filter((text) => !shown.includes(text.trim()))).toEqual([]);
    };
    const opens = async (path: string, name: string): Promise<void> => {
      await visit(path);
      await page.getByRole('button', { name, disabled: false }).last().click();
      await page.getByRole('dialog').waitFor();
    };
    await shows('/app/environments', PAYLOADS);
    await shows('/app/api-keys', PAYLOADS);
    await visit('/app/users');
    await shows('/app/audit?type=environment', []);
    await shows('/app/audit?type=flag', PAYLOADS);
    await page
      .getByRole('button', { name: /^Details/ })
      .first()
      .click();
    await page.locator('.entry-detail').waitFor();
    await opens('/app/audit?type=segment', 'Revert');
    // Every environment has a tab, every value its place.
    await shows('/app/flags/every-field?env=development', PAYLOADS);
    await page.getByRole('link', { name: 'Definition' }).click();
    await page.getByRole('button', { name: 'Variant', exact: true }).waitFor();
    await page.getByLabel('Owner').fill(all.slice(0, 200));
    await page.getByRole('button', { name: 'View changes' }).click();
    await page.getByRole('dialog').getByText(all.slice(0, 40)).first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('link', { name: 'Usage' }).click();
    await shows('/app/segments/every-field?env=development', PAYLOADS);
    await opens('/app/environments', `Delete ${PAYLOADS[0]}`);
    await opens('/app/environments', `Edit ${PAYLOADS[1]}`);
    await page.getByRole('button', { name: 'Save' }).click();
    await says(page, `${PAYLOADS[1]} is saved`);
    await opens('/app/api-keys', 'Revoke');
    await opens('/app/users', 'Disable');
    await visit('/app/flags');
    await page.keyboard.press('Control+k');
    await page.getByLabel('Search flags, screens and actions').fill('every-field');
    await page.getByRole('option').first().waitFor();
    // What nobody stored comes by the address.
    const encoded = encodeURIComponent(all);
    for (const path of [`flags?q=${encoded}`, `flags/${encodeURIComponent(all.slice(0, 90))}`, encoded])
      await visit(`/app/${path}`);
    for (const path of [`segments?q=${encoded}`, `audit?key=${encoded}`]) await visit(`/app/${path}`);
    await visit('/app/playground?flag=every-field&env=development');
    await page.getByRole('button', { name: 'As JSON' }).click();
    const asked = { user_id: all, [all.slice(0, 100)]: PAYLOADS[0] };
    await page.getByRole('textbox', { name: 'Context' }).fill(JSON.stringify(asked));
    await page
      .getByText(PAYLOADS[0] ?? '')
      .first()
      .waitFor();
    await page.context().close();
  });
});

it('no page ever complained', () => {
  expect(dashboard.complaints).toEqual([]);
});

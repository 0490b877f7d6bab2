/** The client for pages, in pages of a real browser, against the running service on another origin. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { clientKey, type MadeKey } from '../api-keys/support.js';
import { makeFlags } from '../ofrep/support.js';
import { Api, eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { installSdk } from '../support/built-sdk.js';
import { freePort } from '../support/free-port.js';
import { NodeProcess } from '../support/service-process.js';
import { launchChromium } from './chromium.js';

const PATIENCE_MS = 60_000;
/** What a careful page allows itself: nothing is evaluated, and nobody is asked but the service. */
const policy = (service: string) =>
  `default-src 'none'; script-src 'self'; img-src data:; connect-src ${service}`;
const PAGE = '<!doctype html><title>A page</title><link rel="icon" href="data:," />';

let browser: Browser;
let vexil: TestApp;
let api: Api;
let home: string;
let sdk: string;
let web: string;
let pages: Server;
let origin: string;
let key: MadeKey;

beforeAll(async () => {
  browser = await launchChromium();
  home = mkdtempSync(join(tmpdir(), 'vexil-browser-'));
  sdk = await installSdk(home);
  web = await openFeatureModule();
  vexil = await startApp();
  api = new Api(vexil);
  await makeFlags(api);
  await api.newFlag({ key: 'new-checkout', is_enabled: true, client_visible: true });
  pages = createServer((request, response) => {
    const path = request.url ?? '/';
    if (!path.endsWith('.js')) {
      response.setHeader('Content-Type', 'text/html');
      response.setHeader('Content-Security-Policy', policy(vexil.url));
      response.end(PAGE);
      return;
    }
    response.setHeader('Content-Type', 'text/javascript');
    response.end(path === '/openfeature.js' ? web : readFileSync(join(sdk, 'dist', basename(path))));
  });
  await new Promise<void>((listening) => pages.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  key = await clientKey(vexil, { origins: [origin] });
}, PATIENCE_MS);
afterAll(async () => {
  await browser.close();
  pages.closeAllConnections();
  pages.close();
  await vexil.close();
  rmSync(home, { recursive: true, force: true });
});

/** OpenFeature's SDK with our provider, as a bundler would put them together. */
async function openFeatureModule(): Promise<string> {
  const built = await build({
    stdin: {
      contents: `export { OpenFeature } from '@openfeature/web-sdk'; export { VexilWebProvider } from ${JSON.stringify(join(sdk, 'dist/openfeature-web.js'))};`,
      resolveDir: resolve('.'),
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    nodePaths: [resolve('node_modules')],
  });
  return built.outputFiles[0]!.text;
}

let visitor: BrowserContext;
let flaws: string[];
let heard: string[];
let isOffline: boolean;
beforeEach(async () => {
  flaws = [];
  heard = [];
  isOffline = false;
  visitor = await browser.newContext();
  await visitor.route(`${vexil.url}/**`, (route) => (isOffline ? route.abort() : route.continue()));
});
afterEach(async () => {
  await visitor.close();
  expect(flaws).toEqual([]);
});

async function open(path = '/'): Promise<Page> {
  const page = await visitor.newPage();
  page.on('pageerror', (error) => flaws.push(String(error)));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) flaws.push(message.text());
  });
  page.on('response', (response) => {
    if (response.url().startsWith(vexil.url) && !response.url().includes('/stream'))
      void response.text().then(
        (text) => heard.push(text),
        () => undefined,
      );
  });
  await page.goto(origin + path);
  return page;
}

interface Settings {
  readonly baseUrl: string;
  readonly clientKey: string;
}
const settings = (): Settings => ({ baseUrl: vexil.url, clientKey: key.secret });

/** Begins with a client as `window.flags`; what it tells is in `window.events`. */
async function begin(page: Page, more: Record<string, unknown> = {}, timeoutMs = 30_000): Promise<void> {
  await page.evaluate(
    async ({ timeoutMs, ...options }) => {
      const path = '/browser.js';
      const { createBrowserClient } = await import(path);
      const flags = createBrowserClient({ context: { targetingKey: 'alice' }, ...options });
      const events: string[] = [];
      for (const name of ['ready', 'change', 'stale', 'error']) flags.on(name, () => events.push(name));
      Object.assign(globalThis, { flags, events });
      await flags.ready({ timeoutMs }).catch((error: Error) => events.push(String(error)));
    },
    { ...settings(), ...more, timeoutMs },
  );
}

const inPage = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression);

describe('a page', () => {
  it('has answers without ever hearing of rules, or of flags it may not know of', async () => {
    const page = await open();
    await begin(page);
    expect(await inPage(page, `flags.value('shop-color', 'x')`)).toBe('grün');
    expect(await inPage(page, `flags.evaluate('shop-ruled', false)`)).toMatchObject({
      value: true,
      reason: 'DEFAULT',
      stale: false,
    });
    expect(await inPage(page, `flags.evaluate('secret-plan', true).errorCode`)).toBe('FLAG_NOT_FOUND');
    await eventually(() => heard.length > 0);
    expect(heard.join()).not.toMatch(/secret|conditions|percentage|salt/);
  });

  it('follows changes, without asking but for them', async () => {
    const page = await open();
    await begin(page);
    for (const variant of ['b', 'a', 'b', 'a']) {
      await api.change('shop-color', { default_serve: { variant } });
      const value = variant === 'b' ? 'rot' : 'grün';
      await eventually(async () => (await inPage(page, `flags.value('shop-color', 'x')`)) === value);
    }
    expect(heard.filter((text) => text !== '').length).toBeLessThanOrEqual(5);
    expect(await inPage(page, 'events')).not.toContain('error');
  });

  it('asks again when somebody else is there', async () => {
    const page = await open();
    await begin(page);
    await inPage(page, `flags.setContext({ targetingKey: 'alice', plan: 'pro' })`);
    expect(await inPage(page, `flags.isEnabled('shop-ruled')`)).toBe(false);
    await inPage(page, `flags.setContext({ targetingKey: 'alice' })`);
    expect(await inPage(page, `flags.isEnabled('shop-ruled')`)).toBe(true);
  });

  it('begins the next visit with the last answers, also without the service, and then has fresh ones', async () => {
    const first = await open();
    await begin(first);
    await first.close();

    isOffline = true;
    const second = await open();
    await begin(second, { pollIntervalMs: 1_000 });
    expect(await inPage(second, `flags.evaluate('shop-color', 'x')`)).toMatchObject({
      value: 'grün',
      stale: true,
    });
    expect(await inPage(second, 'Object.values({ ...localStorage }).join()')).not.toContain('alice');

    await api.change('shop-color', { default_serve: { variant: 'b' } });
    isOffline = false;
    await eventually(async () => (await inPage(second, `flags.value('shop-color', 'x')`)) === 'rot');
    expect(await inPage(second, 'flags.isStale')).toBe(false);
    await api.change('shop-color', { default_serve: { variant: 'a' } });
  });

  it('goes on with what it has when the service goes away', async () => {
    const page = await open();
    await begin(page, { pollIntervalMs: 1_000 });
    isOffline = true;
    await inPage(page, `flags.refresh()`);
    expect(await inPage(page, `flags.evaluate('shop-color', 'x')`)).toMatchObject({
      value: 'grün',
      stale: true,
    });
    isOffline = false;
    await eventually(async () => !(await inPage<boolean>(page, 'flags.isStale')));
    expect(await inPage(page, 'events')).toEqual(expect.arrayContaining(['ready', 'error', 'stale']));
  });

  it('is told when its key is not for it', async () => {
    const other = await clientKey(vexil, { origins: ['https://elsewhere.example'] });
    const page = await open();
    await begin(page, { clientKey: other.secret }, 1_000);
    expect(await inPage(page, `flags.evaluate('shop-color', 'mine')`)).toMatchObject({
      value: 'mine',
      errorCode: 'PROVIDER_NOT_READY',
    });
  });
});

describe("OpenFeature's SDK in a page", () => {
  it('answers by our provider, follows the page, and tells of changes', async () => {
    const page = await open();
    await page.evaluate(async (options) => {
      const path = '/openfeature.js';
      const { OpenFeature, VexilWebProvider } = await import(path);
      await OpenFeature.setContext({ targetingKey: 'alice', plan: 'pro' });
      await OpenFeature.setProviderAndWait(new VexilWebProvider(options));
      const features = OpenFeature.getClient();
      const changed: string[] = [];
      features.addHandler('PROVIDER_CONFIGURATION_CHANGED', (details: { flagsChanged: string[] }) =>
        changed.push(...details.flagsChanged),
      );
      Object.assign(globalThis, { OpenFeature, features, changed });
    }, settings());
    expect(await inPage(page, `features.getBooleanDetails('shop-ruled', true)`)).toMatchObject({
      value: false,
      variant: 'off',
      reason: 'TARGETING_MATCH',
    });
    await inPage(page, `OpenFeature.setContext({ targetingKey: 'alice' })`);
    expect(await inPage(page, `features.getBooleanValue('shop-ruled', false)`)).toBe(true);
    await api.change('shop-color', { default_serve: { variant: 'b' } });
    await eventually(async () => (await inPage<string[]>(page, 'changed')).includes('shop-color'));
    expect(await inPage(page, `features.getStringValue('shop-color', 'x')`)).toBe('rot');
    await api.change('shop-color', { default_serve: { variant: 'a' } });
  });
});

describe('examples/browser', () => {
  it('shows the flag, and follows it', async () => {
    const port = await freePort();
    const shown = await clientKey(vexil, { origins: [`http://localhost:${port}`] });
    cpSync(resolve('examples/browser'), join(home, 'example'), { recursive: true });
    const server = new NodeProcess(join(home, 'example/serve.mjs'), [], {
      VEXIL_URL: vexil.url,
      VEXIL_CLIENT_KEY: shown.secret,
      PORT: String(port),
    });
    try {
      await eventually(() => server.stdout.includes('The page is on'), PATIENCE_MS);
      const page = await visitor.newPage();
      page.on('pageerror', (error) => flaws.push(String(error)));
      await page.goto(`http://localhost:${port}`);
      const says = (text: string) => page.getByText(text).waitFor({ timeout: PATIENCE_MS });
      await says('The new checkout (on, STATIC)');
      await api.change('new-checkout', { is_enabled: false });
      await says('The old checkout (off, DISABLED)');
    } finally {
      await server.kill();
    }
  });
});

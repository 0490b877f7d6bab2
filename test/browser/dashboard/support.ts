import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import pg from 'pg';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { Service, ADMIN } from '../../support/service-process.js';
import type { TcpProxy } from '../../support/tcp-proxy.js';
import { launchChromium } from '../chromium.js';
import { flaws } from './axe.js';

export { ADMIN };
export const PASSWORD = ADMIN.password;
/** For anything that a page is waited for: enough for a machine that has much else to do. */
export const PATIENCE_MS = 90_000;
const SHOTS = join('.cache', 'screenshots');

export type Json = Record<string, unknown>;
export type Theme = 'light' | 'dark';
export const DESKTOP = { width: 1440, height: 900 };
/** Beyond it people notice, and press what they did not mean. */
export const MOST_SHIFTED = 0.02;
export const PHONE = { width: 390, height: 844 };

interface Session {
  readonly token: string;
  readonly user: Json;
}

/** The built service on a database of its own, a browser, and what pages complain about. */
export class Dashboard {
  /** What no page may ever say: errors, refused scripts, dialogs. */
  readonly complaints: string[] = [];
  private readonly sessions = new Map<string, Session>();

  private constructor(
    readonly service: Service,
    readonly browser: Browser,
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  static async open(env: Record<string, string> = {}): Promise<Dashboard> {
    const { url, drop } = await freshDatabase();
    const redis = process.env['REDIS_URL'];
    const service = await Service.running({
      ...(url === undefined ? {} : { DATABASE_URL: url }),
      ...(redis ? { REDIS_URL: `${redis.replace(/\/\d*$/, '')}/15` } : {}),
      LOGIN_ATTEMPTS_PER_MINUTE: '1000',
      REGISTRATIONS_PER_HOUR: '10000',
      ...env,
    });
    return new Dashboard(service, await launchChromium(), drop);
  }

  get url(): string {
    return `http://127.0.0.1:${this.service.port}`;
  }

  /** Makes the first admin and somebody of every other role. */
  async people(): Promise<void> {
    const token = await this.service.setUp();
    this.adopt('admin', { access_token: token, user: await this.ask('GET', '/auth/me', undefined, token) });
    await this.others();
  }

  adopt(role: string, session: Json): void {
    this.sessions.set(role, { token: String(session['access_token']), user: session['user'] as Json });
  }

  /** A developer and a viewer. */
  async others(): Promise<void> {
    for (const role of ['developer', 'viewer']) {
      const email = `${role}@example.com`;
      const { user } = await this.ask('POST', '/auth/register', { email, password: PASSWORD, name: role });
      if (role !== 'viewer')
        await this.ask('PUT', `/auth/users/${String((user as Json)['id'])}/role`, { role });
      this.adopt(role, await this.ask('POST', '/auth/login', { email, password: PASSWORD }));
    }
  }

  /** Asks the API as the admin, or with another token. @throws when it is refused */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    token = this.sessions.get('admin')?.token,
  ): Promise<Json> {
    const answer = await this.service.client.ask(path, {
      method,
      ...(body === undefined ? {} : { body }),
      token,
    });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as Json;
  }

  tokenOf(role: string): string {
    return this.sessions.get(role)?.token ?? '';
  }

  /** A page of somebody who is logged in, or of nobody. */
  async page(
    path: string,
    {
      as,
      theme = 'light',
      size = DESKTOP,
      through,
      hasClock,
    }: {
      as?: string;
      theme?: Theme;
      size?: { width: number; height: number };
      /** The network between this page and the service. */
      through?: TcpProxy;
      /** Whether the test moves the page's time on. */
      hasClock?: boolean;
    } = {},
  ): Promise<Page> {
    const baseURL = through?.through(this.url) ?? this.url;
    const context = await this.browser.newContext({
      viewport: size,
      colorScheme: theme,
      baseURL,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const session = as === undefined ? undefined : this.sessions.get(as);
    await this.watch(context, new URL(baseURL).origin);
    if (session)
      await context.addInitScript(
        `if (location.protocol === 'http:') sessionStorage.setItem('vexil.session', ${JSON.stringify(JSON.stringify({ ...session, expiresAt: Date.now() + 3_500_000 }))})`,
      );
    const page = await context.newPage();
    if (hasClock) await page.clock.install();
    await page.goto(path);
    return page;
  }

  private async watch(context: BrowserContext, home: string): Promise<void> {
    await context.addInitScript(
      `document.addEventListener('securitypolicyviolation', (event) =>
        console.error('refused by the policy: ' + event.violatedDirective + ' ' + event.blockedURI))`,
    );
    await context.addInitScript(
      `globalThis.shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifted += entry.value;
      }).observe({ type: 'layout-shift', buffered: true })`,
    );
    context.on('page', (page) => {
      page.on('pageerror', (error) => this.complaints.push(`${page.url()}: ${error.message}`));
      page.on('dialog', (dialog) => {
        this.complaints.push(`${page.url()}: a dialog says ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('console', (message) => {
        // A refused request is written there too; each test says what it expects of those.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          this.complaints.push(`${page.url()}: ${message.text()}`);
      });
      page.on('request', (request) => {
        const { origin, protocol } = new URL(request.url());
        if (origin !== home && protocol !== 'blob:')
          this.complaints.push(`asked a stranger: ${request.url()}`);
      });
    });
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.service.close();
    await this.dropDatabase();
  }
}

async function freshDatabase(): Promise<{ url: string | undefined; drop: () => Promise<void> }> {
  const server = process.env['DATABASE_URL'];
  if (!server) return { url: undefined, drop: async () => {} };
  const name = `vexil_browser_${randomBytes(6).toString('hex')}`;
  const onServer = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

export const LOOKS: readonly (readonly [Theme, typeof DESKTOP])[] = [
  ['light', DESKTOP],
  ['light', PHONE],
  ['dark', DESKTOP],
  ['dark', PHONE],
];

/** Each theme and each size once. */
export const TWO_LOOKS = LOOKS.filter(([theme, size]) => (theme === 'light') === (size === DESKTOP));

/** Looks at a screen as it is, in both themes and both sizes: nothing is wrong with it, and nothing lies beside the page. */
export async function looks(page: Page, name: string, wanted = LOOKS): Promise<void> {
  for (const [theme, size] of wanted) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    const look = `${name} ${theme} ${size.width}`;
    expect([look, await flaws(page)]).toEqual([look, []]);
    expect([look, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([look, size.width]);
    await picture(page, look.replace(/[^a-z0-9]+/gi, '-'));
  }
  await page.setViewportSize(DESKTOP);
}

/** Keeps a picture for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** Waits until a switch is on, or off. */
export const isSet = (page: Page, name: string, isOn: boolean): Promise<void> =>
  page.getByRole('switch', { name, checked: isOn }).waitFor();

/** Waits until a screen has what it shows. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
}

/** How far what was there already has moved since the page was loaded, as browsers count it: not after an input. */
export async function shifted(page: Page): Promise<number> {
  // What comes last comes after the skeletons are gone.
  await page.waitForTimeout(300);
  return page.evaluate<number>('globalThis.shifted');
}

/** A few flags in different states, a segment, a key. */
export async function furnish(dashboard: Dashboard): Promise<void> {
  const ask = dashboard.ask.bind(dashboard);
  await ask('POST', '/segments', {
    key: 'beta-users',
    name: 'Beta users',
    included: ['alice', 'bob'],
    conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro', 'team'] }] },
  });
  await ask('POST', '/flags', {
    key: 'new-checkout',
    name: 'New checkout',
    tags: ['payments', 'mobile'],
    owner: ADMIN.email,
    rules: [
      {
        name: 'Paying customers',
        conditions: {
          all: [
            { attribute: 'plan', operator: 'in', values: ['pro', 'team'] },
            {
              any: [
                { attribute: 'country', operator: 'equals', values: ['DE'] },
                { attribute: 'user_id', operator: 'in_segment', values: ['beta-users'] },
              ],
            },
          ],
        },
        serve: { variant: 'on' },
      },
    ],
    targets: [{ variant: 'on', keys: ['alice'] }],
    is_enabled: true,
    flag_type: 'percentage',
    rollout_percentage: 25,
  });
  await ask('POST', '/flags', {
    key: 'pricing-test',
    name: 'Pricing test',
    value_type: 'string',
    variants: [
      { key: 'control', value: 'control' },
      { key: 'cheaper', value: 'cheaper' },
      { key: 'premium', value: 'premium' },
    ],
    off_variant: 'control',
    is_enabled: true,
    default_serve: {
      rollout: {
        percentage: 60,
        weights: [
          { variant: 'control', weight: 50 },
          { variant: 'cheaper', weight: 30 },
          { variant: 'premium', weight: 20 },
        ],
      },
    },
  });
  await ask('POST', '/flags', { key: 'dark-mode', name: 'Dark mode', tags: ['growth'] });
  await ask('POST', '/auth/api-keys', {
    name: 'Checkout service',
    kind: 'server',
    environment_key: 'production',
  });
}

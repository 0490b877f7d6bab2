/** Unleash's own server, from the registry, on a Postgres database of its own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import type { Server } from '../servers.js';

const VERSION = '8.2.0';
/** It wants Node 22 or later; where this one is older, a later one runs both sides. */
const NODE_VERSION = '24.21.0';
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;
const FOLDER = resolve('.cache/rivals-server');
const TOKEN = 'default:development.bench';

/** As Unleash names it: with constraints, each of them true for who asks. */
export interface UnleashFlags {
  readonly keys: readonly string[];
  /** Percent. */
  readonly rollout: number;
  readonly constraints: readonly object[];
}

/** Installs the server and a Node for it, unless they are there. @returns the Node that both sides run on */
export function prepareUnleash(): string {
  const isOld = Number(process.versions.node.split('.', 1)[0]) < 22;
  const wanted: Record<string, string> = {
    'unleash-server': VERSION,
    ...(isOld ? { [NODE_PACKAGE]: NODE_VERSION } : {}),
  };
  if (!Object.entries(wanted).every(([name, version]) => installedVersion(name) === version)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'package.json'), JSON.stringify({ private: true, dependencies: wanted }));
    const args = ['install', '--prefix', FOLDER, '--ignore-scripts', '--force', '--no-audit', '--no-fund'];
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'ignore'] });
  }
  return isOld ? join(FOLDER, 'node_modules', NODE_PACKAGE, 'bin', 'node') : process.execPath;
}

function installedVersion(name: string): string | undefined {
  try {
    const text = readFileSync(join(FOLDER, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

export const unleashTitle = `unleash-server ${VERSION}, /api/frontend`;
export const unleashHeaders: readonly string[] = [`Authorization: ${TOKEN}`];

/** Starts it with these flags, all on in its environment `development`. */
export async function startUnleash(node: string, databaseUrl: string, flags: UnleashFlags): Promise<Server> {
  const file = join(mkdtempSync(join(tmpdir(), 'vexil-bench-')), 'flags.json');
  writeFileSync(file, JSON.stringify(exported(flags)));
  const port = await freePort();
  const child = spawn(node, [join(FOLDER, 'node_modules', 'unleash-server', 'dist', 'server.js')], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      LOG_LEVEL: 'error',
      HTTP_HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      DATABASE_SSL: 'false',
      IMPORT_FILE: file,
      INIT_FRONTEND_API_TOKENS: TOKEN,
      CHECK_VERSION: 'false',
      SEND_TELEMETRY: 'false',
      // What is measured is answering, not refusing.
      SDK_API_RATE_LIMIT_PER_MINUTE: '1000000000',
      TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE: '1000000000',
    },
  });
  const server: Server = { child, pid: child.pid ?? 0, port };
  const wanted = flags.keys.length;
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error('unleash-server ended at its start');
    // Rolled out to everybody, or not: it tells only of flags that are on.
    if ((await toldBy(server)) > (flags.rollout === 100 ? wanted - 1 : wanted / 4)) return server;
    await sleep(500);
  }
  throw new Error('unleash-server did not answer with the flags within five minutes');
}

async function toldBy({ port }: Server): Promise<number> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/api/frontend?userId=probe&plan=pro`, {
      headers: { Authorization: TOKEN },
    });
    return ((await answer.json()) as { toggles?: unknown[] }).toggles?.length ?? 0;
  } catch {
    return 0;
  }
}

function exported({ keys, rollout, constraints }: UnleashFlags): object {
  return {
    features: keys.map((name) => ({ name, type: 'release', project: 'default', description: '' })),
    featureStrategies: keys.map((featureName) => ({
      name: 'flexibleRollout',
      featureName,
      parameters: { rollout: String(rollout), stickiness: 'userId', groupId: featureName },
      constraints,
      variants: [],
    })),
    featureEnvironments: keys.map((featureName) => ({
      name: featureName,
      featureName,
      environment: 'development',
      enabled: true,
      variants: [],
    })),
    contextFields: [],
    featureTags: [],
    segments: [],
    tagTypes: [],
    dependencies: [],
    links: [],
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

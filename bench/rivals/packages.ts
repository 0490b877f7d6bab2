/** Where the rivals' own packages come from: the registry, at the versions named here, into a folder that git ignores. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const VERSIONS = {
  '@growthbook/growthbook': '1.8.0',
  '@launchdarkly/node-server-sdk': '9.13.7',
  '@openfeature/core': '1.12.0',
  '@openfeature/flagd-core': '4.0.1',
  'unleash-client': '6.12.1',
} as const;
type Package = keyof typeof VERSIONS;

const folder = resolve('.cache/rivals');

/** Name and version of a rival, for the tables. */
export function named(name: Package): string {
  return `${name} ${VERSIONS[name]}`;
}

/**
 * Installs the rivals unless they are there at these versions. Install scripts do not run, and the project's own packages
 * are not touched.
 * @returns what requires them; they are without types here
 */
export function rivalPackages(): NodeJS.Require {
  // Some of them look and log more without it, and would be slower than where they are used.
  process.env['NODE_ENV'] = 'production';
  if (!isInstalled()) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      resolve(folder, 'package.json'),
      JSON.stringify({ private: true, dependencies: VERSIONS }, undefined, 2),
    );
    const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return createRequire(resolve(folder, 'package.json'));
}

function isInstalled(): boolean {
  return Object.entries(VERSIONS).every(([name, version]) => {
    try {
      const text = readFileSync(resolve(folder, 'node_modules', name, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version?: unknown }).version === version;
    } catch {
      return false;
    }
  });
}

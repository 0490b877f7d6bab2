import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'vexil-dockerfile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ours = readFileSync('Dockerfile', 'utf8');

function problemsOf(dockerfile: string): string[] {
  const file = join(folder, 'Dockerfile');
  writeFileSync(file, dockerfile);
  try {
    execFileSync(process.execPath, ['scripts/check-dockerfile.mjs', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return [];
  } catch (error) {
    return String((error as { stderr: unknown }).stderr)
      .trim()
      .split('\n');
  }
}

it('keeps the rules', () => {
  expect(problemsOf(ours)).toEqual([]);
});

it.each([
  ['runs as root', 'USER 65532:65532', 'USER root', /DL3002/],
  ['runs as a name', 'USER 65532:65532', 'USER nonroot', /runAsNonRoot/],
  ['has no user', 'USER 65532:65532\n', '', /DL3002/],
  ['has a base without a tag', 'node:22-bookworm-slim AS build', 'node AS build', /DL3006/],
  ['has the latest base', ':nonroot', ':latest', /DL3007/],
  ['starts through a shell', /^CMD .*$/m, 'CMD node dist/src/main.js', /DL3025/],
  ['is checked through a shell', /CMD \["node", "-e".*$/m, 'CMD curl localhost', /DL3025/],
  ['has no health check', /^HEALTHCHECK[^]*?\]$/m, '', /DL3057/],
  ['has a secret', 'PORT=8000', 'JWT_SECRET_KEY=abc', /a secret stays/],
  ['has a secret for its build', 'WORKDIR /app\n', 'WORKDIR /app\nARG NPM_TOKEN\n', /a secret stays/],
  ['installs what it likes', 'npm ci --omit=dev', 'npm install --omit=dev', /npm ci keeps/],
  ['copies what is not there', 'COPY static static', 'COPY statics static', /there is no statics/],
  ['copies what is not sent', 'COPY static static', 'COPY docs static', /there is no docs/],
  ['copies from nowhere', '--from=packages', '--from=package', /DL3022/],
  [
    'has an instruction that is none',
    'COPY static static',
    'COPYY static static',
    /line \d+: Unknown instruction: COPYY/,
  ],
  ['has a flag that is none', '--from=packages', '--form=packages', /line \d+: Unknown flag: form/],
  ['fetches', 'COPY package.json LICENSE ./', 'ADD package.json LICENSE ./', /DL3020/],
])('says so when it %s', (_, from, to, expected) => {
  expect(ours.replace(from, to)).not.toBe(ours);
  expect(problemsOf(ours.replace(from, to)).join('\n')).toMatch(expected);
});

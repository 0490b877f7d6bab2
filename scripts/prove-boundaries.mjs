/**
 * Proves that every boundary rule can fail: plants forbidden imports, in a copy of the tree, and expects the rule to name the file
 * they stand in; and allowed imports, expecting silence. Imports in different files are planted together; what is not proved so,
 * because one hides another, is planted again alone. `npm run deps:prove`; exit 1 when anything is else.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root } from './build-if-old.mjs';

const COPIED = [
  'src',
  'static',
  'migrations',
  'scripts',
  'test',
  'sdk',
  'package.json',
  'tsconfig.json',
  '.dependency-cruiser.cjs',
];
const CRUISED = ['src', 'static/src', 'migrations', 'scripts', 'sdk/src'];

/** File, what is planted as its first line, the rule expected (null: it is allowed). A file that is not there is made. */
// prettier-ignore
const CASES = [
  ['src/core/hash.ts', "import { evaluate } from './evaluate.js'; export const x = evaluate;", 'no-circular'],
  ['src/platform/events/event-bus.ts', "import { Cache } from '../cache/cache.js'; export const x = Cache;", null],
  ['src/platform/events/event-bus.ts', "import { Tx } from '../database/tx.js'; export const x = Tx;", 'no-folder-cycles'],
  ['src/audit/audit.service.ts', "import { AuthModule } from '../auth/auth.module.js'; export const x = AuthModule;", 'no-folder-cycles'],

  ['src/core/hash.ts', "import 'typeorm';", 'core-is-pure'],
  ['src/core/hash.ts', "import 'node:crypto';", 'core-is-pure'],
  ['src/core/hash.ts', "import type { Role } from '../platform/access/role.js'; export type X = Role;", 'core-is-pure'],
  ['src/evaluation/evaluation.service.ts', "import { murmur3 } from '../core/hash.js'; export const x = murmur3;", 'core-by-the-door'],
  ['src/evaluation/evaluation.service.ts', "import { BUCKETS } from '../core/index.js'; export const x = BUCKETS;", null],

  ['src/platform/events/event-bus.ts', "import { EnvironmentRevised } from '../../environments/environment.events.js'; export const x = EnvironmentRevised;", 'platform-knows-no-feature'],
  ['src/platform/http/problem.ts', "import type { Health } from '../../operations/health.service.js'; export type X = Health;", 'platform-knows-no-feature'],
  ['src/platform/cache/cache.ts', "import type { Snapshot } from '../../core/index.js'; export type X = Snapshot;", 'platform-knows-no-core'],

  ['src/ofrep/ofrep.service.ts', "import { HealthService } from '../operations/health.service.js'; export const x = HealthService;", 'ofrep-looks-down'],
  ['src/stream/streams.service.ts', "import { HealthService } from '../operations/health.service.js'; export const x = HealthService;", 'stream-looks-down'],
  ['src/evaluation/evaluation.service.ts', "import { HealthService } from '../operations/health.service.js'; export const x = HealthService;", 'evaluation-looks-down'],
  ['src/flags/flags.service.ts', "import { EvaluationService } from '../evaluation/evaluation.service.js'; export const x = EvaluationService;", 'flags-looks-down'],
  ['src/flags/flags.service.ts', "import { AuthModule } from '../auth/auth.module.js'; export const x = AuthModule;", null],
  ['src/segments/segments.service.ts', "import { FlagsService } from '../flags/flags.service.js'; export const x = FlagsService;", 'segments-looks-down'],
  ['src/flags/flags.service.ts', "import { SegmentUsers } from '../segments/segment-users.js'; export const x = SegmentUsers;", null],
  ['src/api-keys/api-keys.service.ts', "import { FlagsService } from '../flags/flags.service.js'; export const x = FlagsService;", 'api-keys-looks-down'],
  ['src/environments/environments.service.ts', "import { FlagsService } from '../flags/flags.service.js'; export const x = FlagsService;", 'environments-looks-down'],
  ['src/auth/auth.module.ts', "import { EnvironmentsModule } from '../environments/environments.module.js'; export const x = EnvironmentsModule;", 'auth-looks-down'],
  ['src/audit/audit.service.ts', "import { UsersService } from '../auth/users.service.js'; export const x = UsersService;", 'audit-looks-down'],

  ['src/operations/readiness.ts', "import { openApiDocument } from '../openapi.js'; export const x = openApiDocument;", 'composition-is-on-top'],
  ['src/platform/database/migrator.ts', "import { SCHEMA } from '../../schema.js'; export const x = SCHEMA;", 'composition-is-on-top'],
  ['src/commands/migrate.ts', "import { AppModule } from '../app.module.js'; export const x = AppModule;", null],
  ['src/serve.ts', "import { runCommand } from './commands/command.js'; export const x = runCommand;", 'commands-are-entries'],
  ['src/auth/users.service.ts', "import { runCommand } from '../commands/command.js'; export const x = runCommand;", 'commands-are-entries'],

  ['src/evaluation/evaluation.service.ts', "import { FlagsRepository } from '../flags/flags.repository.js'; export const x = FlagsRepository;", 'feature-internals'],
  ['src/evaluation/evaluation.service.ts', "import { EnvironmentEntity } from '../environments/environment.entity.js'; export const x = EnvironmentEntity;", 'feature-internals'],
  ['src/evaluation/evaluation.controller.ts', "import { presentFlag } from '../flags/dto/flag.response.js'; export const x = presentFlag;", 'feature-internals'],
  ['src/commands/make-admin.ts', "import { UsersRepository } from '../auth/users.repository.js'; export const x = UsersRepository;", 'feature-internals'],
  ['src/evaluation/evaluation.service.ts', "import { FlagSnapshotReader } from '../flags/flag-snapshot.reader.js'; export const x = FlagSnapshotReader;", null],
  ['src/environments/environments.service.ts', "import { EnvironmentEntity } from './environment.entity.js'; export const x = EnvironmentEntity;", null],

  ['src/flags/flags.controller.ts', "import { FlagsRepository } from './flags.repository.js'; export const x = FlagsRepository;", 'controllers-are-thin'],
  ['src/flags/flags.controller.ts', "import { percent } from './dto/percent.js'; export const x = percent;", null],
  ['src/flags/flags.service.ts', "import type { Request } from 'express'; export type X = Request;", 'services-know-no-http'],
  ['src/flags/flags.reader.ts', "import type { Problem } from '../platform/http/problem.js'; export type X = Problem;", 'services-know-no-http'],
  ['src/flags/flags.service.ts', "import type { CreateFlagRequest } from './dto/flag.requests.js'; export type X = CreateFlagRequest;", 'services-know-no-http'],
  ['src/flags/flags.service.ts', "import { DataSource } from 'typeorm'; export const x = DataSource;", 'database-in-repositories'],
  ['src/operations/health.service.ts', "import pg from 'pg'; export const x = pg;", 'database-in-repositories'],
  ['src/flags/flags.repository.ts', "import { DataSource } from 'typeorm'; export const x = DataSource;", null],
  ['src/auth/attempt-limiter.ts', "import { createClient } from 'redis'; export const x = createClient;", 'cache-in-platform'],
  ['src/flags/cached-reads.interceptor.ts', "import { createCache } from 'cache-manager'; export const x = createCache;", 'cache-in-platform'],

  ['sdk/src/backoff.ts', "import { BUCKETS } from '../../src/core/index.js'; export const x = BUCKETS;", 'sdk-by-the-doors'],
  ['sdk/src/backoff.ts', "import { patterns } from '../../src/platform/patterns/linear-patterns.js'; export const x = patterns;", 'sdk-by-the-doors'],
  ['sdk/src/backoff.ts', "import { BUCKETS } from './core.js'; export const x = BUCKETS;", null],
  ['sdk/src/core.ts', "export { murmur3 } from '../../src/core/hash.js';", 'sdk-doors-are-narrow'],
  ['sdk/src/core.ts', "import { PATTERN_ENGINE } from '../../src/platform/patterns/pattern-engine.js'; export const x = PATTERN_ENGINE;", 'sdk-doors-are-narrow'],
  ['sdk/src/core.ts', "import 'node:fs';", 'sdk-doors-are-narrow'],
  ['sdk/src/backoff.ts', "import pino from 'pino'; export const x = pino;", 'sdk-has-no-dependencies'],
  ['sdk/src/backoff.ts', "import type { Provider } from '@openfeature/server-sdk'; export type X = Provider;", null],
  ['sdk/src/browser/store.ts', "import { patterns } from '../patterns.js'; export const x = patterns;", 'sdk-browser-is-light'],
  ['sdk/src/browser/store.ts', "import 'node:fs';", 'sdk-browser-has-no-node'],
  ['sdk/src/browser/store.ts', "import { evaluate } from '../core.js'; export const x = evaluate;", 'sdk-browser-decides-nothing'],
  ['sdk/src/browser/store.ts', "import type { Reason } from '../core.js'; export type X = Reason;", null],
  ['sdk/src/backoff.ts', "import { flagWire } from '../../test/support/builders.js'; export const x = flagWire;", 'ships-no-tests'],
  ['src/audit/audit.service.ts', "import { Backoff } from '../../sdk/src/backoff.js'; export const x = Backoff;", 'service-knows-no-sdk'],

  ['migrations/1795219200001-create-audit.ts', "import { AuditEntryEntity } from '../src/audit/audit-entry.entity.js'; export const x = AuditEntryEntity;", 'migrations-stand-alone'],
  ['src/platform/database/migrator.ts', "import { MIGRATIONS } from '../../../migrations/index.js'; export const x = MIGRATIONS;", 'migrations-by-the-schema'],
  ['src/audit/audit.service.ts', "import { flagWire } from '../../test/support/builders.js'; export const x = flagWire;", 'ships-no-tests'],
  ['src/audit/audit.service.ts', "import fc from 'fast-check'; export const x = fc;", 'ships-what-it-declares'],
  ['src/audit/audit.service.ts', "import send from 'send'; export const x = send;", 'ships-what-it-declares'],
  ['scripts/start.mjs', "import '../src/main.ts';", 'scripts-use-the-build'],
  ['static/src/state/rollout.ts', "import { murmur3 } from '../../../src/core/hash.js'; export const x = murmur3;", 'dashboard-asks-the-core-by-its-door'],
  ['static/src/state/rollout.ts', "import { isAtLeast } from '../../../src/platform/access/role.js'; export const x = isAtLeast;", 'dashboard-asks-the-core-by-its-door'],
  ['static/src/state/rollout.ts', "import { BUCKETS } from '../../../src/core/index.js'; export const x = BUCKETS;", null],
  ['static/src/views/flags.tsx', "import { client } from '../api/client.js'; export const x = client;", 'only-the-api-folder-asks'],
  ['static/src/views/flags.tsx', "import createClient from 'openapi-fetch'; export const x = createClient;", 'only-the-api-folder-asks'],
  ['static/src/api/flags.ts', "import { number } from '../state/wording.js'; export const x = number;", 'api-knows-no-screen'],
  ['static/src/state/wording.ts', "import { Icon } from '../widgets/icon.js'; export const x = Icon;", 'state-knows-no-screen'],
  ['static/src/widgets/icon.tsx', "import { Logo } from '../views/logo.js'; export const x = Logo;", 'widgets-know-no-view'],
  ['src/operations/pages.ts', "import { number } from '../../static/src/state/wording.js'; export const x = number;", 'ships-no-dashboard'],
  ['src/activity/activity.service.ts', "import { HealthService } from '../operations/health.service.js'; export const x = HealthService;", 'activity-looks-down'],
  ['src/ofrep/ofrep.service.ts', "import { ActivityModule } from '../activity/activity.module.js'; export const x = ActivityModule;", 'ofrep-looks-down'],
  ['src/usage/usage.reader.ts', "import { ActivityModule } from '../activity/activity.module.js'; export const x = ActivityModule;", 'usage-looks-down'],
  ['src/evaluation/evaluation.service.ts', "import { UsageReader } from '../usage/usage.reader.js'; export const x = UsageReader;", 'evaluation-looks-down'],
  ['src/transfer/order.ts', "import { plainFlag } from '../compat/plain-flag.js'; export const x = plainFlag;", 'transfer-looks-down'],
  ['src/flags/flags.service.ts', "import { inOrder } from '../transfer/order.js'; export const x = inOrder;", 'flags-looks-down'],
  ['src/operations/readiness.ts', "import { plainFlag } from '../compat/plain-flag.js'; export const x = plainFlag;", 'operations-looks-down'],
  ['src/serve.ts', "import { plainFlag } from './compat/plain-flag.js'; export const x = plainFlag;", 'compat-by-the-module'],
  ['src/flags/flags.service.ts', "import { plainFlag } from '../compat/plain-flag.js'; export const x = plainFlag;", 'flags-looks-down'],
  ['src/compat/v1.service.ts', "import { FlagsRepository } from '../flags/flags.repository.js'; export const x = FlagsRepository;", 'feature-internals'],
  ['src/compat/v1.service.ts', "import { HealthService } from '../operations/health.service.js'; export const x = HealthService;", null],
  ['src/audit/audit.service.ts', "import './nowhere.js';", 'not-to-unresolvable'],
  ['src/flags/forgotten.ts', "import { BUCKETS } from '../core/index.js'; export const x = BUCKETS;", 'no-dead-files'],
];

const depcruise = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');

/** @returns {Promise<string>} what dependency-cruiser says of the tree in `folder` */
function cruise(folder) {
  const args = [depcruise, ...CRUISED, '--config', '.dependency-cruiser.cjs', '--output-type', 'err'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve(code === 0 && !/^\s*error /m.test(said) ? '' : said || `exit ${code}`),
    );
  });
}

function copyTree(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  return folder;
}

function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Rules that no case expects would be rules that nobody has seen fail. */
function unprovedRules() {
  const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));
  return forbidden.map(({ name }) => name).filter((name) => !CASES.some(([, , rule]) => rule === name));
}

/** Cases that can be planted together: all forbidden or all allowed, no two in one file. */
function groups() {
  const found = [];
  for (const one of CASES) {
    const fits = (group) =>
      (group[0][2] === null) === (one[2] === null) && group.every(([path]) => path !== one[0]);
    const group = found.find(fits);
    if (group) group.push(one);
    else found.push([one]);
  }
  return found;
}

const waiting = groups();
let wrong = 0;

/** @returns {Promise<string>} what is said of the tree with these imports in it */
async function plant(folder, cases) {
  const before = cases.map(([path]) => readOrNothing(join(folder, path)));
  for (const [at, [path, line]] of cases.entries())
    writeFileSync(join(folder, path), `${line}\n${before[at] ?? ''}`);
  const said = await cruise(folder);
  for (const [at, [path]] of cases.entries()) {
    if (before[at] === undefined) rmSync(join(folder, path));
    else writeFileSync(join(folder, path), before[at]);
  }
  return said;
}

/** @param isAlone then a rule may name another file: a circle begins anywhere */
const isProved = ([path, , rule], said, isAlone) =>
  rule === null ? said === '' : said.includes(isAlone ? `error ${rule}: ` : `error ${rule}: ${path}`);

async function work(folder) {
  for (let group = waiting.shift(); group; group = waiting.shift()) {
    const together = await plant(folder, group);
    for (const one of group) {
      const isAlone = group.length > 1 && !isProved(one, together, false);
      const said = isAlone ? await plant(folder, [one]) : together;
      report(one, isProved(one, said, true), said);
    }
  }
}

function report([path, line, rule], isRight, said) {
  if (!isRight) wrong += 1;
  console.log(`${isRight ? 'ok  ' : 'FAIL'} ${rule ?? 'allowed'} <- ${path}: ${line.slice(0, 90)}`);
  if (!isRight) console.log(said.trim() || '     (silence)');
}

const home = join(root, '.cache', 'boundaries', String(process.pid));
const workers = Math.min(2, availableParallelism());
const folders = Array.from({ length: workers }, (_, index) => copyTree(join(home, String(index))));
try {
  const clean = await cruise(folders[0]);
  if (clean !== '') {
    console.log(clean);
    console.log('The tree must be clean, and the rules valid, before they can be proved.');
    wrong += 1;
  } else {
    await Promise.all(folders.map(work));
    for (const name of unprovedRules()) {
      wrong += 1;
      console.log(`FAIL ${name}: no case here makes it fail`);
    }
    console.log(`${CASES.length} cases, ${wrong} wrong`);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exit(wrong > 0 ? 1 : 0);

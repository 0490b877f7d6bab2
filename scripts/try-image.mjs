/**
 * Does what the Dockerfile says where there is no Docker: its own steps, stage by stage, in clean folders and as a user without
 * rights; then its command, on files that this user cannot write, its health check, and SIGTERM. Prints how large the image is.
 * The base images are not there: Node is the one that runs this, and their sizes are reckoned (below).
 *
 * `--keep=<folder>` leaves the image's files there, for whoever wants to run them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './build-if-old.mjs';
import { readDockerfile, stagesOf } from './dockerfile.mjs';

const LIMIT_MB = 250;
/**
 * gcr.io/distroless/cc-debian12: the installed sizes of its Debian packages (libc6, libssl3, libstdc++6, libgcc-s1, libgomp1, tzdata,
 * ca-certificates, base-files, netbase, media-types: `apt-cache show`).
 */
const BASE_MB = 26;
/** bin/node of Node 22 for Linux on x64. With the base above that is 151; https://labs.iximiuz.com/tutorials/how-to-choose-nodejs-container-image lists distroless/nodejs22-debian12 with 141. */
const NODE_MB = 125;
const START_SECONDS = 120;
/** As in the image; somebody else when this is not root. */
const USER = 65_532;

const isRoot = process.getuid() === 0;
const asUser = isRoot ? { uid: USER, gid: USER } : {};
const home = mkdtempSync(join(tmpdir(), 'vexil-image-'));
chmodSync(home, 0o755);
const keep = process.argv.find((each) => each.startsWith('--keep='))?.slice('--keep='.length);
const own = (path) => isRoot && chownSync(path, USER, USER);

const ignored = readFileSync(join(root, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const sent = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));

const stages = stagesOf(readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))).map((stage) => ({
  ...stage,
  folder: join(home, stage.name),
  workdir: '/',
  env: {},
}));

function runStage(stage) {
  mkdirSync(stage.folder);
  own(stage.folder);
  const inside = (path) => join(stage.folder, isAbsolute(path) ? path : join(stage.workdir, path));
  for (const { keyword, args, flags } of stage.steps) {
    if (keyword === 'WORKDIR') {
      stage.workdir = args[0];
      makeFolder(inside('.'));
    } else if (keyword === 'ENV') {
      for (const [, name, value] of args.matchAll(/(\S+?)=(\S+)/g)) stage.env[name] = value;
    } else if (keyword === 'COPY') {
      copy(args.slice(0, -1), inside(args.at(-1)), args.at(-1).endsWith('/'), flags.from);
    } else if (keyword === 'RUN') {
      console.log(`  ${stage.name}: ${args}`);
      const env = {
        PATH: process.env.PATH,
        HOME: home,
        npm_config_cache: join(home, 'npm-cache'),
        ...stage.env,
      };
      execFileSync('sh', ['-c', args], {
        cwd: inside('.'),
        env: { ...npmRegistry(), ...env },
        stdio: 'inherit',
        ...asUser,
      });
    }
  }
}

const npmRegistry = () =>
  process.env.npm_config_registry ? { npm_config_registry: process.env.npm_config_registry } : {};

function copy(sources, target, isFolder, from) {
  for (const source of sources) {
    // What the base image brings is not here; Node is the one that runs this.
    if (from !== undefined && source === '/usr/local/bin/node') continue;
    const origin = from === undefined ? root : stages.find(({ name }) => name === from).folder;
    if (from === undefined && !sent.some((each) => `${source}/`.startsWith(`${each}/`)))
      throw new Error(`${source} is not sent to the build (.dockerignore)`);
    const path = join(origin, source);
    const isTree = lstatSync(path).isDirectory();
    const to = isFolder && !isTree ? join(target, basename(source)) : target;
    makeFolder(dirname(to));
    cpSync(path, to, { recursive: true, verbatimSymlinks: true });
    if (isRoot) execFileSync('chown', ['-R', `${USER}:${USER}`, to]);
  }
}

function makeFolder(path) {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
  own(path);
}

function bytesOf(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}
const inMb = (bytes) => Math.round(bytes / 1e5) / 10;

function report(image) {
  const parts = ['app/node_modules', 'app/dist', 'app/scripts'].map((name) => [
    name,
    bytesOf(join(image.folder, name)),
  ]);
  const ours = bytesOf(image.folder);
  const total = Math.ceil(inMb(ours) + BASE_MB + NODE_MB);
  console.log(`  base image ${BASE_MB} MB, Node 22 ${NODE_MB} MB (reckoned), ours ${inMb(ours)} MB`);
  for (const [name, bytes] of parts) console.log(`    ${name} ${inMb(bytes)} MB`);
  console.log(`  together ${total} MB of ${LIMIT_MB} MB`);
  if (total > LIMIT_MB) throw new Error(`The image would have ${total} MB; the limit is ${LIMIT_MB} MB`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Its command, as Docker would run it: its own settings, on files that it may read only, and a folder for its data. */
async function serve(image) {
  const step = (keyword) => image.steps.filter((each) => each.keyword === keyword).at(-1).args;
  const data = join(image.folder, image.env.DATA_DIR);
  if (isRoot) makeReadOnly(join(image.folder, 'app'));
  const env = {
    PATH: process.env.PATH,
    ...image.env,
    PORT: String(await freePort()),
    DATA_DIR: data,
    JWT_SECRET_KEY: randomBytes(32).toString('hex'),
  };
  const cwd = join(image.folder, image.workdir);
  const [program, ...args] = step('CMD');
  const began = Date.now();
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...asUser });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const ended = once(child, 'exit');
  try {
    const [check, ...checkArgs] = step('HEALTHCHECK');
    const isHealthy = () => {
      try {
        execFileSync(check, checkArgs, { cwd, env, stdio: 'ignore', ...asUser });
        return true;
      } catch {
        return false;
      }
    };
    while (!isHealthy()) {
      if (child.exitCode !== null || Date.now() - began > START_SECONDS * 1000)
        throw new Error(`It did not become healthy:\n${said}`);
      await sleep(200);
    }
    console.log(
      `  healthy after ${((Date.now() - began) / 1000).toFixed(1)} s, as user ${isRoot ? USER : process.getuid()}`,
    );
    if (isRoot) expectNothingWritten(image.folder, data);
    child.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) throw new Error(`It ended with ${code} after SIGTERM:\n${said}`);
    console.log('  SIGTERM: exit code 0');
    if (isHealthy()) throw new Error('The health check calls a service healthy that is gone');
  } finally {
    child.kill('SIGKILL');
  }
}

/** As in the image, where nothing but /data belongs to the user. */
function makeReadOnly(path) {
  lchownSync(path, 0, 0);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) makeReadOnly(join(path, name));
}

function expectNothingWritten(folder, data) {
  const find = [
    '-uid',
    String(USER),
    '-newer',
    join(folder, 'app/package.json'),
    '-not',
    '-path',
    `${data}*`,
  ];
  const written = execFileSync('find', [folder, '-type', 'f', ...find], { encoding: 'utf8' }).trim();
  if (written !== '') throw new Error(`It wrote beside DATA_DIR:\n${written}`);
}

try {
  own(home);
  for (const stage of stages) runStage(stage);
  const image = stages.at(-1);
  report(image);
  await serve(image);
  if (keep) cpSync(image.folder, keep, { recursive: true, verbatimSymlinks: true });
} finally {
  rmSync(home, { recursive: true, force: true });
}

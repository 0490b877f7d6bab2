/**
 * Claim: a change that one instance has acknowledged is what all others answer within 1 s (the 99th percentile; 200 ms is the aim),
 * whether Redis answers, is dead or is frozen. `DATABASE_URL` names a server on which a database is made and dropped for each
 * number of instances; Redis is one of this bench alone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Durations } from '../test/support/drill.js';
import { freePort } from '../test/support/free-port.js';
import { Service } from '../test/support/service-process.js';
import { judge, printMachine } from './harness.js';

const CHANGES = Number(process.env['VEXIL_BENCH_CHANGES'] ?? 300);
const [LIMIT_MS, AIM_MS] = [1_000, 200];
const SERVER = process.env['DATABASE_URL'] ?? '';
const question = '/evaluate/fresh?environment_key=production&user_id=alice';

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  await client.query(sql);
  await client.end();
}

function startRedis(port: number): ChildProcess {
  const settings = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--port', String(port)];
  return spawn('redis-server', settings, { stdio: 'ignore', cwd: '/tmp' });
}

async function untilRedis(services: readonly Service[], state: 'connected' | 'disconnected'): Promise<void> {
  for (const { client } of services)
    while (!JSON.stringify((await client.ask('/health')).body).includes(`"${state}"`)) await sleep(50);
}

/** Changes the flag on one after the other. @returns how long after its writer each of the others answered with it */
async function follow(services: readonly Service[], token: string): Promise<Durations> {
  const seen = new Durations();
  for (let count = 0; count < CHANGES; count += 1) {
    const writer = services[count % services.length]!;
    const answer = await writer.client.ask('/flags/fresh?environment_key=production', {
      method: 'PUT',
      token,
      body: { rollout_percentage: (count % 99) + 1 },
    });
    if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    const acknowledged = performance.now();
    const version = answer.body.version as number;
    const others = services.filter((service) => service !== writer);
    await Promise.all(
      others.map(async ({ client }) => {
        while (!((await client.ask(question)).body.flag_version >= version))
          if (performance.now() - acknowledged > 30_000) throw new Error('never seen');
        seen.add(performance.now() - acknowledged);
      }),
    );
    await sleep(Math.random() * 20);
  }
  return seen;
}

async function measure(instances: number): Promise<void> {
  const database = `vexil_bench_${randomBytes(4).toString('hex')}`;
  await onServer(`CREATE DATABASE ${database}`);
  const port = await freePort();
  const redis = startRedis(port);
  let services: Service[] = [];
  try {
    const url = new URL(SERVER);
    url.pathname = `/${database}`;
    const env = {
      DATABASE_URL: url.href,
      REDIS_URL: `redis://127.0.0.1:${port}`,
      REVISION_POLL_SECONDS: '2',
    };
    services = await Service.several(instances, env);
    const token = await services[0]!.setUp();
    const flag = {
      key: 'fresh',
      name: 'Fresh',
      flag_type: 'percentage',
      rollout_percentage: 1,
      is_enabled: true,
    };
    await services[0]!.client.ask('/flags', { method: 'POST', token, body: flag });
    for (const { client } of services)
      while ((await client.ask(question)).body.flag_version !== 1) await sleep(10);

    console.log(`\n${instances} instances, ${CHANGES} changes on one after the other`);
    for (const state of ['up', 'frozen', 'dead']) {
      if (state === 'up') await untilRedis(services, 'connected');
      if (state === 'frozen') redis.kill('SIGSTOP');
      if (state === 'dead') {
        const exited = once(redis, 'exit');
        redis.kill('SIGKILL');
        await exited;
        await untilRedis(services, 'disconnected');
      }
      const { count, p50, p99, max } = (await follow(services, token)).summary();
      console.log(
        `  Redis ${state.padEnd(6)}  p50 ${p50} ms · p99 ${p99} ms ${judge(p99, LIMIT_MS, ' ms')} ${judge(p99, AIM_MS, ' ms')} · max ${max} ms · of ${count}`,
      );
    }
  } finally {
    for (const service of services) await service.close();
    redis.kill('SIGKILL');
    await onServer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }
}

printMachine();
if (SERVER === '') console.log('Skipped: several instances need Postgres. Set DATABASE_URL.');
else for (const instances of [2, 3]) await measure(instances);

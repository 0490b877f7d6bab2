import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { command, ensureBuilt } from '../support/built-service.js';
import { NodeProcess, Service } from '../support/service-process.js';

// The build may have to be made first.
jest.setTimeout(120_000);

let service: Service;
beforeAll(async () => {
  await ensureBuilt();
  service = await Service.running();
}, 120_000);
afterAll(() => service.close());

const seed = (...args: string[]) => new NodeProcess(command('seed'), args, service.environment).exited;

it('makes the flags of the service with edge caching once, for a service that runs', async () => {
  const first = await seed();
  expect(first.code).toBe(0);
  expect(first.stdout.trim().split('\n')).toEqual([
    'new_checkout_flow made in production',
    'beta_features made in production',
    'dark_mode made in production',
    'experimental_api made in production',
  ]);
  const { body } = await service.client.ask('/compat/edge/flags');
  expect(body.flags).toEqual([
    { name: 'beta_features', enabled: true, rollout_percentage: 10 },
    { name: 'dark_mode', enabled: false, rollout_percentage: 0 },
    { name: 'experimental_api', enabled: true, rollout_percentage: 25 },
    { name: 'new_checkout_flow', enabled: true, rollout_percentage: 50 },
  ]);
  // 4.02: its details say what the flag is.
  const details = await service.client.ask('/compat/edge/flags/new_checkout_flow');
  expect(details.body.flag_data.metadata.description).toBe('New checkout experience');
  const again = await seed();
  expect([again.code, again.stdout.match(/already/g)?.length]).toEqual([0, 4]);
});

it('makes them where it is told, and says where there is nothing', async () => {
  const elsewhere = await seed('--environment', 'staging');
  expect([elsewhere.code, elsewhere.stdout.match(/made in staging/g)?.length]).toEqual([0, 4]);
  expect(await seed('--environment', 'nowhere')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Environment 'nowhere' not found"),
  });
  expect(await seed('--enviroment', 'staging')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--environment development'),
  });
});

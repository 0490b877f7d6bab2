import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { command, ensureBuilt } from '../support/built-service.js';
import { ADMIN, NodeProcess, Service } from '../support/service-process.js';

// The build may have to be made first.
jest.setTimeout(120_000);

let service: Service;
beforeAll(async () => {
  await ensureBuilt();
  service = await Service.running();
}, 120_000);
afterAll(() => service.close());

it('says of a disabled account that it was promoted, that it is disabled, and how to enable it', async () => {
  const token = await service.setUp();
  const person = { ...ADMIN, email: 'away@example.com' };
  const { body } = await service.client.ask('/auth/register', { method: 'POST', body: person });
  const { id } = body.user as { id: string };
  const path = `/auth/users/${id}/active`;
  await service.client.ask(path, { method: 'PUT', token, body: { is_active: false } });

  const makeAdmin = () => new NodeProcess(command('make-admin'), [person.email], service.environment).exited;
  const [first, second] = [await makeAdmin(), await makeAdmin()];
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/promoted to admin[^]*is disabled/) });
  expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/already an admin[^]*is disabled/) });
  for (const { stdout } of [first, second]) expect(stdout).toContain(`PUT ${path}`);

  await service.client.ask(path, { method: 'PUT', token, body: { is_active: true } });
  const login = await service.client.ask('/auth/login', {
    method: 'POST',
    body: { email: person.email, password: person.password },
  });
  expect(login.body.user).toMatchObject({ role: 'admin', is_active: true });
});

import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { UsersService } from '../auth/users.service.js';
import { systemActor } from '../platform/access/actor.js';
import { CommandModule } from './command.module.js';
import { runCommand } from './command.js';
import { Database } from '../platform/database/database.js';

/** Exit codes: 0 promoted or already an admin, 1 something failed, 2 no such account or no address given. */
await runCommand(async ({ config, database }) => {
  const email = process.argv[2]?.trim().toLowerCase();
  if (email === undefined || email === '') {
    process.stderr.write('Say whom: npm run make-admin -- you@example.com\n');
    return 2;
  }
  const app = await NestFactory.createApplicationContext(CommandModule.of(config, database), {
    logger: false,
    abortOnError: false,
  });
  try {
    await app.get(Database).connect();
    const users = app.get(UsersService, { strict: false });
    const user = await users.findByEmail(email);
    if (!user) {
      process.stderr.write(`User not found: ${email}. Register first, then run this again.\n`);
      return 2;
    }
    if (user.role === 'admin') {
      process.stdout.write(`${email} is already an admin.\n`);
    } else {
      await users.changeRole(systemActor('make-admin'), user.id, 'admin');
      process.stdout.write(`${email} has been promoted to admin. Log in again: older tokens have ended.\n`);
    }
    if (!user.isActive)
      process.stdout.write(
        `The account is disabled, so it still cannot log in. Another admin enables it: PUT /auth/users/${user.id}/active with {"is_active": true}.\n`,
      );
    return 0;
  } finally {
    await app.close();
  }
});

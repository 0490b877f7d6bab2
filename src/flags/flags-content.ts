import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EnvironmentContents, type EnvironmentContent } from '../environments/environment-contents.js';
import type { Environment } from '../environments/environment.js';
import type { Actor } from '../platform/access/actor.js';
import type { Tx } from '../platform/database/tx.js';
import { FlagsRepository } from './flags.repository.js';
import { FlagsService } from './flags.service.js';

/** Lets an environment be deleted with the flags in it. */
@Injectable()
export class FlagsContent implements EnvironmentContent, OnModuleInit {
  readonly name = 'flag(s)';

  constructor(
    private readonly contents: EnvironmentContents,
    private readonly repository: FlagsRepository,
    private readonly flags: FlagsService,
  ) {}

  onModuleInit(): void {
    this.contents.register(this);
  }

  async count(tx: Tx, environment: Environment): Promise<number> {
    return this.repository.countInEnvironment(tx, environment.id);
  }

  async remove(tx: Tx, environment: Environment, actor: Actor): Promise<void> {
    await this.flags.deleteAll(tx, actor, environment);
  }
}

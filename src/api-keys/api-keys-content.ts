import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EnvironmentContents, type EnvironmentContent } from '../environments/environment-contents.js';
import type { Environment } from '../environments/environment.js';
import type { Actor } from '../platform/access/actor.js';
import type { Tx } from '../platform/database/tx.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { ApiKeysService } from './api-keys.service.js';

/** Lets an environment be deleted with the keys for it. Revoked ones hold nothing up, and go with it. */
@Injectable()
export class ApiKeysContent implements EnvironmentContent, OnModuleInit {
  readonly name = 'API key(s)';

  constructor(
    private readonly contents: EnvironmentContents,
    private readonly repository: ApiKeysRepository,
    private readonly keys: ApiKeysService,
  ) {}

  onModuleInit(): void {
    this.contents.register(this);
  }

  async count(tx: Tx, environment: Environment): Promise<number> {
    return (await this.repository.inEnvironment(tx, environment.id)).length;
  }

  async remove(tx: Tx, environment: Environment, actor: Actor): Promise<void> {
    await this.keys.deleteAll(tx, actor, environment);
  }
}

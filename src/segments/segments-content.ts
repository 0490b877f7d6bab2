import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EnvironmentContents, type EnvironmentContent } from '../environments/environment-contents.js';
import type { Environment } from '../environments/environment.js';
import type { Actor } from '../platform/access/actor.js';
import type { Tx } from '../platform/database/tx.js';
import { SegmentsRepository } from './segments.repository.js';
import { SegmentsService } from './segments.service.js';

/** Lets an environment be deleted with the segments in it. */
@Injectable()
export class SegmentsContent implements EnvironmentContent, OnModuleInit {
  readonly name = 'segment(s)';

  constructor(
    private readonly contents: EnvironmentContents,
    private readonly repository: SegmentsRepository,
    private readonly segments: SegmentsService,
  ) {}

  onModuleInit(): void {
    this.contents.register(this);
  }

  async count(tx: Tx, environment: Environment): Promise<number> {
    return this.repository.countInEnvironment(tx, environment.id);
  }

  async remove(tx: Tx, environment: Environment, actor: Actor): Promise<void> {
    await this.segments.deleteAll(tx, actor, environment);
  }
}

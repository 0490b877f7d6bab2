import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { CachesService } from '../evaluation/caches.service.js';
import { EvaluationService } from '../evaluation/evaluation.service.js';
import { HealthService } from '../operations/health.service.js';
import { CurrentActor, CurrentScope } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { AnyInput } from '../platform/http/undeclared-input.guard.js';
import { CacheAway } from './compat.errors.js';
import { CompatFlagsService, everyoneAtAll } from './compat-flags.service.js';
import { environmentOf, questionOf } from './door.js';
import { Asks, Changes, Creates, Deletes, Does, Looks, Tells } from './door.decorators.js';
import {
  auditQuery,
  createBody,
  evaluateQuery,
  listQuery,
  presentAnswer,
  presentEntry,
  presentFlag,
  presentHealth,
  presentRoot,
  presentSecurity,
  presentStats,
  updateBody,
  type AuditQuery,
  type CreateBody,
  type EvaluateQuery,
  type ListQuery,
  type UpdateBody,
} from './dto/dashboard.js';
import { FastApiInput } from './fastapi-input.js';

/** The feature-flag service with a dashboard and a Python SDK. Reading is open, changing needs an API key. */
@ApiExcludeController()
@AnyInput()
@Controller('compat/dashboard')
export class DashboardController {
  constructor(
    private readonly flags: CompatFlagsService,
    private readonly evaluation: EvaluationService,
    private readonly caches: CachesService,
    private readonly health: HealthService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Looks('flags', 'All flags')
  async list(
    @Query(new FastApiInput('query', listQuery)) query: ListQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    return (await this.flags.list(environmentOf(scope, this.config), query)).map(presentFlag);
  }

  @Looks('flags/_cache/stats', 'How the cache does')
  async stats() {
    return presentStats(await this.caches.stats());
  }

  @Does('flags/_cache/clear', 'Empty the cache', 204)
  async clear(): Promise<void> {
    if ((await this.caches.stats()).shared.state === 'down') throw new CacheAway();
    await this.caches.drop();
  }

  @Looks('flags/:key', 'One flag')
  async find(@Param('key') key: string, @CurrentScope() scope: KeyScope | undefined) {
    return presentFlag(await this.flags.find({ key, environmentKey: environmentOf(scope, this.config) }));
  }

  @Asks('flags/:key/evaluate', 'What a user gets')
  evaluate(
    @Param('key') key: string,
    @Query(new FastApiInput('query', evaluateQuery)) { user_id: user }: EvaluateQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const question = questionOf(environmentOf(scope, this.config), user, scope);
    return presentAnswer(this.evaluation.evaluate(key, question));
  }

  @Looks('flags/:key/audit', 'The history of a flag')
  async history(
    @Param('key') key: string,
    @Query(new FastApiInput('query', auditQuery)) { limit }: AuditQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const environmentKey = environmentOf(scope, this.config);
    return (await this.flags.history({ key, environmentKey }, limit)).map(presentEntry);
  }

  @Creates('flags', 'Make a flag')
  async create(@CurrentActor() actor: Actor, @Body(new FastApiInput('body', createBody)) body: CreateBody) {
    const flag = await this.flags.create(actor, this.config.compatEnvironment, {
      key: body.key,
      name: body.name,
      description: body.description,
      isEnabled: body.enabled,
      share: everyoneAtAll(body.rollout_percentage),
      placing: { hashVersion: 'sha256', salt: body.key },
    });
    return presentFlag(flag);
  }

  @Changes('flags/:key', 'Change a flag')
  async update(
    @CurrentActor() actor: Actor,
    @Param('key') key: string,
    @Body(new FastApiInput('body', updateBody)) body: UpdateBody,
  ) {
    const share = body.rollout_percentage ?? undefined;
    const flag = await this.flags.update(
      actor,
      { key, environmentKey: this.config.compatEnvironment },
      {
        name: body.name ?? undefined,
        description: body.description,
        isEnabled: body.enabled ?? undefined,
        share: share === undefined ? undefined : everyoneAtAll(share),
      },
    );
    return presentFlag(flag);
  }

  @Deletes('flags/:key', 'Delete a flag')
  async delete(@CurrentActor() actor: Actor, @Param('key') key: string): Promise<void> {
    await this.flags.delete(actor, { key, environmentKey: this.config.compatEnvironment });
  }

  @Tells('health', 'How the service does')
  async check() {
    return presentHealth(await this.health.check(), this.config);
  }

  @Tells('', 'What this is')
  root() {
    return presentRoot();
  }

  @Tells('security-info', 'How it is secured')
  security() {
    return presentSecurity(this.config);
  }
}

import { Controller, Inject, Param, Query, UseInterceptors } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthService } from '../operations/health.service.js';
import { CurrentActor, CurrentScope } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { AnyInput } from '../platform/http/undeclared-input.guard.js';
import { everyoneAtAll } from './compat-flags.service.js';
import { environmentOf, questionOf } from './door.js';
import { Asks, Does, Forgets, Looks, Tells } from './door.decorators.js';
import {
  presentCheck,
  presentCounts,
  presentDetails,
  presentHealth,
  presentInvalidation,
  presentList,
  presentRoot,
  presentUpdate,
  updateQuery,
  userQuery,
  type UpdateQuery,
  type UserQuery,
} from './dto/edge.js';
import { EdgeCache } from './edge-cache.js';
import { EdgeCaching } from './edge-caching.interceptor.js';
import { EdgeService } from './edge.service.js';
import { FastApiInput, FastApiParameter, keyIn, newName, type NewName } from './fastapi-input.js';

const NAME = new FastApiParameter('flag_name', newName(255));

/** Feature flags with edge caching, which asks nobody for a key and tells whether it remembered the answer. */
@ApiExcludeController()
@AnyInput()
@Controller('compat/edge')
export class EdgeController {
  constructor(
    private readonly edge: EdgeService,
    private readonly cache: EdgeCache,
    private readonly health: HealthService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Asks('flags/:name/check', 'Whether a user gets it')
  @UseInterceptors(EdgeCaching(30))
  async check(
    @Param('name') name: string,
    @Query(new FastApiInput('query', userQuery)) { user_id: user }: UserQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const question = questionOf(environmentOf(scope, this.config), user, scope);
    return presentCheck(await this.edge.check(keyIn(name), question));
  }

  @Looks('flags/:name', 'What a user gets, and the flag')
  @UseInterceptors(EdgeCaching(60))
  async details(
    @Param('name') name: string,
    @Query(new FastApiInput('query', userQuery)) { user_id: user }: UserQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const question = questionOf(environmentOf(scope, this.config), user, scope);
    return presentDetails(name, await this.edge.details(keyIn(name), question));
  }

  @Looks('flags', 'All flags')
  async list(@CurrentScope() scope: KeyScope | undefined) {
    const question = questionOf(environmentOf(scope, this.config), undefined, scope);
    return presentList(await this.edge.list(question));
  }

  @Does('flags/:name/update', 'Switch a flag, or make it')
  async update(
    @CurrentActor() actor: Actor,
    @Param('name', NAME) { key, salt }: NewName,
    @Query(new FastApiInput('query', updateQuery)) query: UpdateQuery,
  ) {
    const flag = await this.edge.update(actor, this.config.compatEnvironment, {
      key,
      name: salt,
      description: undefined,
      isEnabled: query.enabled,
      share: everyoneAtAll(query.rollout_percentage),
      placing: { hashVersion: 'md5', salt },
    });
    return presentUpdate(salt, flag);
  }

  @Forgets('flags/:name/cache', 'Forget what is remembered of a flag')
  forget(@Param('name') name: string) {
    this.cache.forget(this.config.compatEnvironment, keyIn(name));
    return presentInvalidation(name);
  }

  @Looks('cache/stats', 'How much is remembered')
  stats() {
    return presentCounts(this.cache.counts());
  }

  @Tells('health', 'How the service does')
  async alive() {
    return presentHealth(await this.health.check());
  }

  @Tells('', 'What this is')
  root() {
    return presentRoot();
  }
}

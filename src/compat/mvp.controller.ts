import { Body, Controller, Inject, Param } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthService } from '../operations/health.service.js';
import { CurrentActor, CurrentScope } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { AnyInput } from '../platform/http/undeclared-input.guard.js';
import { CompatFlagsService } from './compat-flags.service.js';
import { environmentOf, questionOf } from './door.js';
import { Asks, Changes, Creates, Deletes, Looks, Tells } from './door.decorators.js';
import {
  createBody,
  presentAnswer,
  presentFlag,
  presentHealth,
  updateBody,
  type CreateBody,
  type UpdateBody,
} from './dto/mvp.js';
import { FastApiInput, FastApiParameter, keyIn, userId } from './fastapi-input.js';
import { UserFlagsService } from './user-flags.service.js';

const USER = new FastApiParameter('user_id', userId());

/** The microservice for feature flags and A/B testing, which asks nobody for a key. */
@ApiExcludeController()
@AnyInput()
@Controller('compat/mvp')
export class MvpController {
  constructor(
    private readonly flags: CompatFlagsService,
    private readonly users: UserFlagsService,
    private readonly health: HealthService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Creates('flags', 'Make a flag')
  async create(@CurrentActor() actor: Actor, @Body(new FastApiInput('body', createBody)) body: CreateBody) {
    const { key, salt } = body.flag_name;
    const flag = await this.flags.create(actor, this.config.compatEnvironment, {
      key,
      name: salt.slice(0, 200),
      description: body.description,
      isEnabled: body.status,
      share: body.rollout_percentage ?? 'everyone',
      placing: { hashVersion: 'sha256-user-first', salt },
    });
    return presentFlag(flag);
  }

  @Looks('flags', 'All flags')
  async list(@CurrentScope() scope: KeyScope | undefined) {
    return (await this.flags.list(environmentOf(scope, this.config))).map(presentFlag);
  }

  @Looks('flags/:name', 'One flag')
  async find(@Param('name') name: string, @CurrentScope() scope: KeyScope | undefined) {
    const environmentKey = environmentOf(scope, this.config);
    return presentFlag(await this.flags.find({ key: keyIn(name), environmentKey }));
  }

  @Changes('flags/:name', 'Change a flag')
  async update(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body(new FastApiInput('body', updateBody)) body: UpdateBody,
  ) {
    const { status, description, rollout_percentage: share } = body;
    const flag = await this.flags.update(
      actor,
      { key: keyIn(name), environmentKey: this.config.compatEnvironment },
      { isEnabled: status ?? undefined, description, share: share === null ? 'everyone' : share },
    );
    return presentFlag(flag);
  }

  @Deletes('flags/:name', 'Delete a flag')
  async delete(@CurrentActor() actor: Actor, @Param('name') name: string): Promise<void> {
    await this.flags.delete(actor, { key: keyIn(name), environmentKey: this.config.compatEnvironment });
  }

  @Asks('users/:user/flags', 'What a user gets of all flags')
  async ofUser(@Param('user', USER) user: string, @CurrentScope() scope: KeyScope | undefined) {
    const all = await this.users.all(questionOf(environmentOf(scope, this.config), user, scope));
    return { user_id: user, flags: all.map(({ answer, known }) => presentAnswer(answer, known)) };
  }

  @Asks('users/:user/flags/:name', 'What a user gets')
  async ofUserAndFlag(
    @Param('user', USER) user: string,
    @Param('name') name: string,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const question = questionOf(environmentOf(scope, this.config), user, scope);
    const { answer, known } = await this.users.one(keyIn(name), question);
    return presentAnswer(answer, known);
  }

  @Tells('health', 'How the service does')
  async check() {
    return presentHealth(await this.health.check());
  }
}

import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { systemActor } from '../platform/access/actor.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DatabaseConnected } from '../platform/database/database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Repeating } from '../platform/events/repeating.js';
import { ApiKeysService } from './api-keys.service.js';

const TRY_AGAIN_EVERY_MS = 2_000;

/** Brings the API key whose secret is the setting `API_KEY` about, once, as soon as there is a database. */
@Injectable()
export class ApiKeySetting implements OnApplicationShutdown {
  private readonly logger = new Logger(ApiKeySetting.name);
  private isDue = false;
  private readonly repeating: Repeating;

  constructor(
    private readonly keys: ApiKeysService,
    events: EventBus,
    @Inject(CONFIG) private readonly config: Pick<Config, 'apiKey'>,
  ) {
    events.on(DatabaseConnected, () => {
      this.isDue = true;
      return this.follow();
    });
    this.repeating = new Repeating(TRY_AGAIN_EVERY_MS, async () => {
      if (this.isDue) await this.follow();
    });
  }

  private async follow(): Promise<void> {
    const isAsSaid = await this.keys.followSetting(systemActor('settings'), this.config.apiKey);
    this.repeating.stop();
    if (!isAsSaid)
      this.logger.warn('API_KEY is the secret of a key that was revoked, and stays so. Set another one.');
  }

  onApplicationShutdown(): void {
    this.repeating.stop();
  }
}

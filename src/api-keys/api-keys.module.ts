import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ApiKeyDirectory } from './api-key-directory.js';
import { ApiKeySetting } from './api-key-setting.js';
import { ApiKeysContent } from './api-keys-content.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import { ApiKeysService } from './api-keys.service.js';
import { ClientOrigins } from './client-origins.js';

@Module({
  imports: [AuditModule, AuthModule, EnvironmentsModule],
  controllers: [ApiKeysController],
  providers: [
    ApiKeysService,
    ApiKeysRepository,
    ApiKeyDirectory,
    ApiKeysContent,
    ApiKeySetting,
    ClientOrigins,
  ],
})
export class ApiKeysModule {}

import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { StreamCallers } from '../stream/stream-access.js';
import { ActivityController } from './activity.controller.js';
import { ActivityFeed } from './activity-feed.js';
import { ActivityService } from './activity.service.js';

@Module({
  imports: [AuditModule, AuthModule],
  controllers: [ActivityController],
  providers: [ActivityFeed, ActivityService, StreamCallers],
  exports: [ActivityService],
})
export class ActivityModule {}

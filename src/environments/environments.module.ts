import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { EnvironmentContents } from './environment-contents.js';
import { EnvironmentRevisions } from './environment-revisions.js';
import { EnvironmentsController } from './environments.controller.js';
import { EnvironmentsRepository } from './environments.repository.js';
import { EnvironmentsService } from './environments.service.js';

@Module({
  imports: [AuditModule],
  controllers: [EnvironmentsController],
  providers: [EnvironmentsService, EnvironmentRevisions, EnvironmentContents, EnvironmentsRepository],
  exports: [EnvironmentsService, EnvironmentRevisions, EnvironmentContents],
})
export class EnvironmentsModule {}

import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { FlagsModule } from '../flags/flags.module.js';
import { SegmentsModule } from '../segments/segments.module.js';
import { ExportReader } from './export.reader.js';
import { ImportService } from './import.service.js';

@Module({
  imports: [EnvironmentsModule, FlagsModule, SegmentsModule],
  providers: [ExportReader, ImportService],
  exports: [ExportReader, ImportService],
})
export class TransferModule {}

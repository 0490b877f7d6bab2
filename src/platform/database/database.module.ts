import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Database } from './database.js';
import { DATABASE_SOURCE, type DatabaseSource } from './database-source.js';
import { Notifications } from './notifications.js';

@Global()
@Module({})
export class DatabaseModule {
  static of(source: DatabaseSource): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [{ provide: DATABASE_SOURCE, useValue: source }, Database, Notifications],
      exports: [DATABASE_SOURCE, Database, Notifications],
    };
  }
}

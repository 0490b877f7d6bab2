import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SnapshotsService } from '../evaluation/snapshots.service.js';
import { Database } from '../platform/database/database.js';
import { Notifications } from '../platform/database/notifications.js';

/**
 * Brings the service up when everything is wired: connects, migrates and loads; without a database it serves what it
 * finds in Redis or on disk, and takes the database up when that comes.
 */
@Injectable()
export class Startup implements OnApplicationBootstrap {
  constructor(
    private readonly database: Database,
    private readonly notifications: Notifications,
    private readonly snapshots: SnapshotsService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.database.start();
    await this.snapshots.restore();
    const listening = this.notifications.start();
    // Without a database there is nothing to wait for: it tries again by itself.
    if (this.database.isConnected) await listening;
  }
}

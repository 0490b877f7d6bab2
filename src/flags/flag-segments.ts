import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Tx } from '../platform/database/tx.js';
import { SegmentUsers, type SegmentUser } from '../segments/segment-users.js';
import { FlagRelationsRepository } from './flag-relations.repository.js';

/** Tells segments which flags use them. */
@Injectable()
export class FlagSegments implements SegmentUser, OnModuleInit {
  constructor(
    private readonly users: SegmentUsers,
    private readonly relations: FlagRelationsRepository,
  ) {}

  onModuleInit(): void {
    this.users.registerFlags(this);
  }

  async usesIn(environmentId: string, tx?: Tx): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.relations.segmentsUsed(environmentId, tx);
  }
}

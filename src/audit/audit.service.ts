import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/tx.js';
import { changesBetween, sealOf } from './audit-chain.js';
import type { AuditAction, AuditEntry, Change, EntityType } from './audit-entry.js';
import { AuditRepository, type AuditFilter, type ChainHead, type LastChange } from './audit.repository.js';

export type { ChainHead, LastChange };

/** What a walk along the chain found. */
export interface ChainVerdict {
  readonly isValid: boolean;
  /** Entries that were looked at. */
  readonly checked: number;
  readonly head: ChainHead;
  readonly firstBroken: { readonly position: number; readonly problem: string } | undefined;
}

const PAGE = 1_000;

/** Keeps the record of who changed what, in the same transaction as the change itself, and can prove it unaltered. */
@Injectable()
export class AuditService {
  private running: Promise<ChainVerdict> | undefined;

  constructor(private readonly entries: AuditRepository) {}

  /** Writes exactly one entry for `change`. If this fails, the change fails with it. */
  async record(tx: Tx, change: Change): Promise<void> {
    const { actor, before, after } = change;
    const head = await this.entries.lockHead(tx);
    const sealed: Omit<AuditEntry, 'hash'> = {
      position: head.position + 1,
      id: randomUUID(),
      createdAt: new Date(),
      entityType: change.entityType,
      entityId: change.entityId,
      entityKey: change.entityKey,
      action: change.action ?? actionOf(change),
      actorType: actor.type,
      actorId: actor.id,
      actorName: actor.name,
      environmentKey: change.environmentKey ?? null,
      revision: change.revisions?.[change.environmentKey ?? ''] ?? null,
      revisions: change.revisions ?? {},
      changes: changesBetween(before, after),
      before: before ?? null,
      after: after ?? null,
      reason: change.reason ?? null,
      requestId: actor.requestId,
      previousHash: head.hash,
    };
    await this.entries.append(tx, { ...sealed, hash: sealOf(sealed) });
  }

  /** Entries that fit `filter`, newest first. */
  async find(filter: AuditFilter): Promise<AuditEntry[]> {
    return this.entries.find(filter);
  }

  /** The last change of each of these things, by key; those without a history are left out. */
  async lastChanges(entityType: EntityType, keys: readonly string[]): Promise<Map<string, LastChange>> {
    return this.entries.lastChanges(entityType, keys);
  }

  /** Entries after `position`, oldest first. */
  async after(position: number, limit: number): Promise<AuditEntry[]> {
    return this.entries.after(position, limit);
  }

  /** Where the log ends now. */
  async head(): Promise<ChainHead> {
    return this.entries.head();
  }

  /** Walks the whole chain. Callers at the same time share one walk. */
  async verify(): Promise<ChainVerdict> {
    this.running ??= this.walk().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async walk(): Promise<ChainVerdict> {
    let last: ChainHead = { position: 0, hash: '' };
    let cursor: number | undefined;
    for (;;) {
      const page = await this.entries.after(cursor, PAGE);
      for (const entry of page) {
        const problem = flawOf(entry, last);
        if (problem) return this.broken(last, entry.position, problem);
        last = { position: entry.position, hash: entry.hash };
        cursor = entry.position;
      }
      if (page.length > 0) continue;
      // Asked after the last entry was read, so whatever was read is within it. More may have been written meanwhile.
      const head = await this.entries.head();
      if (head.position > last.position && (await this.entries.after(cursor, 1)).length > 0) continue;
      if (head.position > last.position)
        return this.broken(last, last.position + 1, 'missing: the chain ends too early', head);
      if (head.position < last.position)
        return this.broken(last, head.position + 1, 'is beyond the end of the chain', head);
      if (head.hash !== last.hash)
        return this.broken(last, last.position, 'not the entry that the chain ended with', head);
      return { isValid: true, checked: last.position, head, firstBroken: undefined };
    }
  }

  private async broken(
    { position: checked }: ChainHead,
    position: number,
    problem: string,
    head?: ChainHead,
  ): Promise<ChainVerdict> {
    return {
      isValid: false,
      checked,
      head: head ?? (await this.entries.head()),
      firstBroken: { position, problem },
    };
  }
}

function actionOf({ before, after }: Change): AuditAction {
  if (!before) return 'created';
  return after ? 'updated' : 'deleted';
}

function flawOf(entry: AuditEntry, previous: ChainHead): string | undefined {
  if (entry.position !== previous.position + 1) return `entry ${previous.position + 1} is missing before it`;
  if (entry.previousHash !== previous.hash) return 'does not continue the entry before it';
  const { hash, ...sealed } = entry;
  return sealOf(sealed) === hash ? undefined : 'its content does not fit its hash';
}

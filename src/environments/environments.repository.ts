import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Database } from '../platform/database/database.js';
import { violatedUnique } from '../platform/database/faults.js';
import type { Tx } from '../platform/database/tx.js';
import { EnvironmentEntity } from './environment.entity.js';
import { EnvironmentExists } from './environment.errors.js';
import type { Environment, EnvironmentRevision } from './environment.js';

@Injectable()
export class EnvironmentsRepository {
  constructor(private readonly db: Database) {}

  /** In the order that people gave them. */
  async list(): Promise<Environment[]> {
    return this.db.manager.find(EnvironmentEntity, { order: { position: 'ASC', key: 'ASC' } });
  }

  async findByKey(key: string): Promise<Environment | undefined> {
    return (await this.db.manager.findOneBy(EnvironmentEntity, { key })) ?? undefined;
  }

  async findById(id: string): Promise<Environment | undefined> {
    return (await this.db.manager.findOneBy(EnvironmentEntity, { id })) ?? undefined;
  }

  /** Every environment's revision, in one small query, ordered by key. */
  async revisions(): Promise<EnvironmentRevision[]> {
    const rows = await this.db.manager.query<
      (Omit<EnvironmentRevision, 'revision'> & { revision: string })[]
    >('SELECT id, key, revision, stamp FROM environments ORDER BY key');
    return rows.map((row) => ({ ...row, revision: Number(row.revision) }));
  }

  /** Locks in one order, whoever asks, so that two changes never wait for each other. Those that are gone are left out. */
  async lock(tx: Tx, ids: readonly string[]): Promise<Environment[]> {
    return tx.manager.find(EnvironmentEntity, {
      where: { id: In([...ids]) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
  }

  async lockByKey(tx: Tx, key: string): Promise<Environment | undefined> {
    return (
      (await tx.manager.findOne(EnvironmentEntity, {
        where: { key },
        lock: { mode: 'pessimistic_write' },
      })) ?? undefined
    );
  }

  async lockAll(tx: Tx): Promise<Environment[]> {
    return tx.manager.find(EnvironmentEntity, { order: { id: 'ASC' }, lock: { mode: 'pessimistic_write' } });
  }

  /** @returns where it stands now */
  async advance(tx: Tx, { id, key }: Environment): Promise<EnvironmentRevision> {
    const [rows] = await tx.manager.query<[[{ revision: string; stamp: string }]]>(
      'UPDATE environments SET revision = revision + 1, stamp = gen_random_uuid() WHERE id = $1 RETURNING revision, stamp',
      [id],
    );
    const [{ revision, stamp }] = rows;
    return { id, key, revision: Number(revision), stamp };
  }

  async lastPosition(tx: Tx): Promise<number> {
    return (await tx.manager.maximum(EnvironmentEntity, 'position')) ?? 0;
  }

  /** @throws EnvironmentExists */
  async insert(tx: Tx, environment: Environment): Promise<void> {
    try {
      // A copy: TypeORM writes what the database returned, as text, into what it is given.
      await tx.manager.insert(EnvironmentEntity, { ...environment });
    } catch (error) {
      if (violatedUnique(error) === 'uq_environments_key') throw new EnvironmentExists(environment.key);
      throw error;
    }
  }

  /** Writes an environment's own fields; not its revision, which has a way of its own. */
  async update(tx: Tx, environment: Environment): Promise<void> {
    const { id, name, description, position, version, updatedAt } = environment;
    const { isProtected, confirmsChanges, requiresReason } = environment;
    const demands = { isProtected, confirmsChanges, requiresReason };
    const fields = { name, description, ...demands, position, version, updatedAt };
    await tx.manager.update(EnvironmentEntity, { id }, fields);
  }

  async delete(tx: Tx, id: string): Promise<void> {
    await tx.manager.delete(EnvironmentEntity, { id });
  }
}

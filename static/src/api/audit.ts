import { body, client, type Schemas } from './client.js';
import type { operations } from './schema.gen.js';

export type AuditEntry = Schemas['AuditEntry'];
export type AuditVerdict = Schemas['AuditVerdict'];
export type AuditQuery = NonNullable<operations['listAuditEntries']['parameters']['query']>;
export type EntityType = AuditEntry['entity_type'];

export const listAudit = (query: AuditQuery): Promise<AuditEntry[]> =>
  body(client.GET('/audit', { params: { query } }));
export const verifyAudit = (): Promise<AuditVerdict> => body(client.GET('/audit/verify'));

export const latestChange = async (type: EntityType, key: string): Promise<AuditEntry | undefined> =>
  (await listAudit({ entity_type: type, entity_key: key, limit: 1 }))[0];

import { body, client, page, type Schemas } from './client.js';

export type ApiKey = Schemas['ApiKey'];
export type NewApiKey = Schemas['NewApiKey'];
export type ApiKeyKind = Schemas['ApiKeyKind'];

export const listApiKeys = (skip: number, limit: number): Promise<{ items: ApiKey[]; total: number }> =>
  page(client.GET('/auth/api-keys', { params: { query: { skip, limit } } }));
export const createApiKey = (request: Schemas['CreateApiKeyRequest']): Promise<NewApiKey> =>
  body(client.POST('/auth/api-keys', { body: request }));
export const revokeApiKey = async (id: string, reason?: string): Promise<void> => {
  await body(
    client.DELETE('/auth/api-keys/{id}', { params: { path: { id }, query: reason ? { reason } : {} } }),
  );
};

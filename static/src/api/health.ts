import { body, client, type Schemas } from './client.js';

export type Health = Schemas['Health'];

/** How the service does; asked of anybody. */
export const readHealth = (): Promise<Health> => body(client.GET('/health'));

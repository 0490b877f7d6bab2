/** For OpenFeature's SDK for servers. */
export { VexilProvider, type VexilProviderOptions } from './server-provider.js';
export type { ServerClient, ServerClientEvents } from '../server/client.js';
export type { ServerClientOptions } from '../server/options.js';

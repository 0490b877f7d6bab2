/** For OpenFeature's SDK for the web. */
export { VexilWebProvider, type VexilWebProviderOptions } from './web-provider.js';
export type { BrowserClient, BrowserClientEvents, BrowserClientOptions } from './browser-client.js';

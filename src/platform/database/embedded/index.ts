export { DataFolderInUse } from './data-lock.js';
export { EmbeddedDatabase, type EmbeddedDatabaseOptions } from './embedded-database.js';

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_FOLDER } from '../operations/service-info.js';
import { configurationPage } from '../platform/config/configuration-page.js';

/** Writes docs/configuration.md anew from the settings. */
const file = join(PROJECT_FOLDER, 'docs', 'configuration.md');
writeFileSync(file, configurationPage());
process.stdout.write(`Wrote ${file}\n`);

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, from the source as well as from the build. */
export const PROJECT_FOLDER = findUp(dirname(fileURLToPath(import.meta.url)));

const manifest = JSON.parse(readFileSync(join(PROJECT_FOLDER, 'package.json'), 'utf8')) as {
  version: string;
};

export const SERVICE = { name: 'vexil', version: manifest.version } as const;

function findUp(folder: string): string {
  try {
    readFileSync(join(folder, 'package.json'));
    return folder;
  } catch (error) {
    const parent = dirname(folder);
    if (parent === folder) throw error;
    return findUp(parent);
  }
}

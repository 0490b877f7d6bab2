import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page that people read. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of commands: ```sh. */
export interface Block {
  readonly page: string;
  /** Of the first command, for messages. */
  readonly line: number;
  readonly text: string;
}

const OTHERS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'examples/README.md',
  'sdk/README.md',
  'bench/load/README.md',
];

/** Every page of the documentation. What `test/conformance` says of the suites it took over is theirs. */
export const PAGES: readonly Page[] = [...OTHERS, ...pagesIn('docs')].map((path) => ({
  path,
  text: readFileSync(path, 'utf8'),
}));

export function pageOf(path: string): Page {
  const page = PAGES.find((each) => each.path === path);
  if (!page) throw new Error(`There is no page ${path}.`);
  return page;
}

export const BLOCKS: readonly Block[] = PAGES.flatMap(({ path, text }) =>
  [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((found) => ({
    page: path,
    line: text.slice(0, found.index).split('\n').length + 1,
    text: found[1] ?? '',
  })),
);

/** The text of a page without its fenced blocks. */
export const proseOf = ({ text }: Page): string => text.replaceAll(/^ *```.*?^ *```$/gms, '');

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return pagesIn(path);
      return path.endsWith('.md') ? [path] : [];
    })
    .sort();
}

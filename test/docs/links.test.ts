/** Whoever follows a link in the documentation gets somewhere, and what it names in passing is there. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PAGES, proseOf, type Page } from './pages.js';

/** As GitHub makes them of headings. */
function anchorsOf({ text }: Pick<Page, 'text'>): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading
      .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Links to elsewhere in the repository. Addresses of other sites are theirs to keep. */
const linksOf = (page: Page): string[] =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

const linked = PAGES.map((page) => [page.path, page] as const);

describe.each(linked)('%s', (path, page) => {
  it('links to files and headings that there are', () => {
    const broken = linksOf(page).filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(target)) return true;
      if (anchor === undefined) return false;
      return statSync(target).isDirectory() || !anchorsOf({ text: readFileSync(target, 'utf8') }).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files and folders of this repository that there are', () => {
    const FOLDERS = /^(?:src|test|bench|scripts|migrations|deploy|docs|examples|sdk|static|\.ci)\/[\w./-]+$/;
    // Decisions and changes tell of their own time.
    if (/^(docs\/adr\/\d|CHANGELOG)/.test(path)) return;
    const named = [...proseOf(page).matchAll(/`([^`\s]+)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => FOLDERS.test(name));
    expect(named.filter((name) => !existsSync(name))).toEqual([]);
  });
});

it('finds every page of docs/ from its index', () => {
  const index = PAGES.find(({ path }) => path === 'docs/README.md');
  const reached = new Set(
    index ? linksOf(index).map((link) => normalize(join('docs', link.split('#')[0]!))) : [],
  );
  const lost = PAGES.map(({ path }) => path).filter(
    (path) => /^docs\/[\w-]+\.md$/.test(path) && path !== 'docs/README.md' && !reached.has(path),
  );
  expect(lost).toEqual([]);
});

describe('the way GitHub names headings', () => {
  it.each([
    ['## How many proxies', 'how-many-proxies'],
    ['### `GET /flags`, and more', 'get-flags-and-more'],
    ['## Node, Postgres, Redis', 'node-postgres-redis'],
    ['## [1.0.0]', '100'],
  ])('%s is #%s', (heading, anchor) => {
    expect([...anchorsOf({ text: `${heading}\n` })]).toEqual([anchor]);
  });

  it('numbers those that are there twice', () => {
    expect([...anchorsOf({ text: '## How\n\n## How\n' })]).toEqual(['how', 'how-1']);
  });
});

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseSnapshot, SPEC_VERSION } from '../../src/core/index.js';
import { RulesetText } from '../../src/evaluation/ruleset-text.js';
import { SnapshotFiles, type StoredSnapshot } from '../../src/evaluation/snapshot-file.js';

const ID = '7b0c8a52-0000-4000-8000-000000000000';
const OTHER = '7b0c8a52-0000-4000-8000-000000000001';

let folder: string;
let file: string;
let previous: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vexil-snapshot-file-'));
  file = join(folder, `${ID}.json`);
  previous = `${file}.previous`;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As a new process has it: it remembers nothing of what was written. */
const started = (): SnapshotFiles => new SnapshotFiles(folder, (ruleset) => parseSnapshot(ruleset).ok);

const at = (revision: number, environmentId = ID): StoredSnapshot => ({
  environmentId,
  stamp: `stamp-${revision}`,
  savedAt: new Date(revision).toISOString(),
  ruleset: { spec_version: SPEC_VERSION, environment_key: 'e', revision, flags: [], segments: [] },
});
const write = (files: SnapshotFiles, { ruleset, savedAt, ...named }: StoredSnapshot): Promise<void> =>
  files.write({ ...named, ruleset: RulesetText.of(ruleset) }, new Date(savedAt));
const written = (body: string): string => `${createHash('sha256').update(body).digest('hex')}\n${body}`;
const whole = (revision: number): string => written(JSON.stringify(at(revision)));
const restored = async (): Promise<number[]> =>
  (await started().readAll()).snapshots.map(({ ruleset }) => ruleset.revision);

/** What a file can be that is not to be trusted. */
const BAD: readonly [string, () => string | Buffer][] = [
  ['empty', () => ''],
  ['text', () => 'x'],
  ['cut', () => whole(2).slice(0, -20)],
  ['no JSON, with a digest that fits', () => written('{"environmentId":')],
  ['JSON of something else, with a digest that fits', () => written('[1]')],
  ['null, with a digest that fits', () => written('null')],
  [
    'of a version to come',
    () => written(JSON.stringify({ ...at(2), ruleset: { ...at(2).ruleset, spec_version: 99 } })),
  ],
  [
    'of no version',
    () => written(JSON.stringify({ ...at(2), ruleset: { environment_key: 'e', revision: 2 } })),
  ],
  ['no UTF-8', () => Buffer.from([0xff, 0xfe, 0x0a, 0xff])],
];

describe.each(BAD)('a file that is %s', (_name, content) => {
  it('is passed over for the one before, and harms no other environment', async () => {
    await write(started(), at(7, OTHER));
    writeFileSync(file, content());
    writeFileSync(previous, whole(1));
    expect((await restored()).sort()).toEqual([1, 7]);
    expect((await started().readAll()).refused).toEqual([file]);
  });

  it('never takes the place of the one before', async () => {
    writeFileSync(file, content());
    writeFileSync(previous, whole(1));
    const files = started();
    await files.readAll();
    await write(files, at(3));
    expect([readFileSync(file, 'utf8'), readFileSync(previous, 'utf8')]).toEqual([whole(3), whole(1)]);
    // Nor where nobody read it first.
    writeFileSync(file, content());
    await write(started(), at(4));
    expect([readFileSync(file, 'utf8'), readFileSync(previous, 'utf8')]).toEqual([whole(4), whole(1)]);
    await write(files, at(5));
    expect([readFileSync(file, 'utf8'), readFileSync(previous, 'utf8')]).toEqual([whole(5), whole(4)]);
  });
});

it('a folder in the place of a file is passed over, too', async () => {
  mkdirSync(file);
  writeFileSync(previous, whole(1));
  expect(await restored()).toEqual([1]);
});

it('finds the one before wherever the file is cut, and whichever byte is another', async () => {
  writeFileSync(previous, whole(1));
  const bytes = Buffer.from(whole(2));
  for (let length = 0; length < bytes.length; length += 1) {
    writeFileSync(file, bytes.subarray(0, length));
    expect([length, await restored()]).toEqual([length, [1]]);
  }
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const altered = Buffer.from(bytes);
    altered.writeUInt8(altered.readUInt8(offset) ^ 0x04, offset);
    writeFileSync(file, altered);
    expect([offset, await restored()]).toEqual([offset, [1]]);
  }
});

/** What a process leaves that ends while it writes revision 3 where 2 and 1 are. */
const STEPS: readonly [string, Readonly<Record<string, () => string>>, number][] = [
  ['before it wrote a byte', { '': () => whole(2), '.previous': () => whole(1), '.tmp': () => '' }, 2],
  [
    'in the middle of the new file',
    { '': () => whole(2), '.previous': () => whole(1), '.tmp': () => whole(3).slice(0, 40) },
    2,
  ],
  [
    'with the new file written',
    { '': () => whole(2), '.previous': () => whole(1), '.tmp': () => whole(3) },
    2,
  ],
  ['between the two names', { '.previous': () => whole(2), '.tmp': () => whole(3) }, 2],
  ['with all done', { '': () => whole(3), '.previous': () => whole(2) }, 3],
];

it.each(STEPS)(
  'a process killed %s leaves a whole one, to read and to go on from',
  async (_name, left, revision) => {
    for (const [ending, content] of Object.entries(left)) writeFileSync(file + ending, content());
    expect(await restored()).toEqual([revision]);
    const files = started();
    await write(files, at(9));
    expect(await restored()).toEqual([9]);
    // What is kept beside it is the last whole one.
    expect(readFileSync(previous, 'utf8')).toBe(whole(revision));
    rmSync(file);
    expect(await restored()).toEqual([revision]);
  },
);

it('leaves nothing of an environment that is gone', async () => {
  const files = started();
  await write(files, at(1));
  await write(files, at(2));
  writeFileSync(`${file}.tmp`, 'x');
  await files.remove(ID);
  expect([file, previous, `${file}.tmp`].filter((name) => existsSync(name))).toEqual([]);
  await write(files, at(1));
  expect([await restored(), existsSync(previous)]).toEqual([[1], false]);
});

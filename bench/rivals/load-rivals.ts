/** The rivals, loaded; and whether they answer as the workloads mean. */
import { askedKeys, BULK, outsiders, people, ROLLOUT, type Row } from '../workloads.js';
import { flagd } from './flagd.js';
import { growthbook } from './growthbook.js';
import { launchdarkly } from './launchdarkly.js';
import type { Rival } from './rival.js';
import { unleash } from './unleash.js';

export type { Rival } from './rival.js';

/** How far a measured share may be from the one that is wanted, in percent; each hashes in its own way. */
const TOLERANCE = 1.5;

export async function loadRivals(): Promise<Rival[]> {
  return [await unleash(), await growthbook(), await flagd(), await launchdarkly()];
}

/** @returns what a rival answers that the row does not mean; empty when nothing is wrong */
export async function wrongAnswers(rival: Rival, row: Row): Promise<string[]> {
  const wrong: string[] = [];
  const keys = askedKeys.filter((_, index) => index % 50 === 0);
  let on = 0;
  for (const key of keys) {
    for (const person of people) if (await rival.isOn(row, key, person)) on += 1;
    if (row !== 'targeted') continue;
    for (const [index, outsider] of outsiders.entries()) {
      if (await rival.isOn(row, key, outsider))
        wrong.push(`${rival.name}: condition ${index} of ${key} is passed over`);
    }
  }
  const share = (on / keys.length / people.length) * 100;
  const wanted = row === 'static' ? 100 : ROLLOUT;
  if (Math.abs(share - wanted) > (row === 'static' ? 0 : TOLERANCE)) {
    wrong.push(`${rival.name}: ${share.toFixed(2)} % are on, not ${wanted} %`);
  }
  return wrong;
}

/** The same of the bulk row. */
export async function wrongInBulk(rival: Rival): Promise<string[]> {
  let on = 0;
  for (const person of people) on += await rival.countOn(person);
  const share = (on / BULK.flags.length / people.length) * 100;
  const wrong =
    Math.abs(share - ROLLOUT) > TOLERANCE
      ? [`${rival.name}: ${share.toFixed(2)} % are on, not ${ROLLOUT} %`]
      : [];
  const members = await rival.countOn({ ...people[0]!, age: BULK.everyAge });
  if (members !== BULK.flags.length)
    wrong.push(`${rival.name}: members get ${members} flags of ${BULK.flags.length}`);
  return wrong;
}

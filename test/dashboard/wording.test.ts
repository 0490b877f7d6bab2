import { expect, it } from '@jest/globals';
import { placeWords } from '../../static/src/state/wording.js';

it.each([
  ['rules[0].conditions', 'Rule 1'],
  ['rules[11].serve.rollout', 'Rule 12'],
  ['variants[1]', 'Variant'],
  ['targets[0].keys', 'Listed users:'],
  ['default_serve.rollout', 'Everyone else:'],
  ['prerequisites[2]', 'Prerequisite'],
  ['somewhere.else', 'somewhere.else'],
])('%s is called %s, as on the page', (path, words) => {
  expect(placeWords(path)).toBe(words);
});

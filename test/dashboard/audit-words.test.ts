import { expect, it } from '@jest/globals';
import { changeWords } from '../../static/src/state/audit-words.js';

it.each([
  ['a flag turned on', { is_enabled: { old: false, new: true } }, ['turned on']],
  ['a flag turned off', { is_enabled: { old: true, new: false } }, ['turned off']],
  ['a flag archived', { archived: { old: false, new: true } }, ['archived']],
  ['a grown share', { rollout_percentage: { old: 10, new: 25 } }, ['rollout 10% → 25%']],
  [
    'a share where everyone was served: the kind of the flag follows from it',
    {
      flag_type: { old: 'boolean', new: 'percentage' },
      is_enabled: { old: false, new: true },
      rollout_percentage: { old: 100, new: 12.5 },
    },
    ['turned on', 'rollout 100% → 12.5%'],
  ],
  [
    'a kind alone',
    { flag_type: { old: 'percentage', new: 'multivariate' } },
    ['flag type percentage → multivariate'],
  ],
  ['rules', { rules: { old: [], new: [{ name: 'beta' }] } }, ['rules changed']],
  ['a name', { name: { old: 'Old', new: 'New' } }, ['name Old → New']],
  ['tags', { tags: { old: [], new: ['growth', 'mobile'] } }, ['tags nothing → growth, mobile']],
  ['an owner who was not', { owner: { old: null, new: 'dana' } }, ['owner nothing → dana']],
  ['somebody disabled', { is_active: { old: true, new: false } }, ['disabled']],
  [
    'a long text',
    { description: { old: '', new: 'x'.repeat(60) } },
    [`description nothing → ${'x'.repeat(38)}…`],
  ],
])('says %s in plain words', (_, changes, words) => {
  expect(changeWords(changes)).toEqual(words);
});

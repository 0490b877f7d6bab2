import { expect, it } from '@jest/globals';
import { fromFragment, parseContext, toFragment } from '../../static/src/state/playground-scene.js';

it('reads from an address what it wrote into one', () => {
  const scene = { contexts: ['{"name": "Zoë 🎈 ~?>"}'], flags: ['new-checkout'], environments: ['staging'] };
  const fragment = toFragment(scene);
  expect(fragment).toMatch(/^[\w-]+$/);
  expect(fromFragment(fragment)).toEqual(scene);
});

it.each(['', '%', 'no scene', toFragment({} as never).slice(1)])('is not troubled by %j', (fragment) => {
  expect(fromFragment(fragment)).toBeUndefined();
});

it.each(['[]', 'null', '12', '{'])('refuses %j for a context', (text) => {
  expect(parseContext(text)).toEqual({ problem: expect.any(String) });
});

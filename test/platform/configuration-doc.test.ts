import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { configurationPage } from '../../src/platform/config/configuration-page.js';
import { CONCERNS, SETTINGS } from '../../src/platform/config/settings.js';

it('docs/configuration.md says what the settings say; `npm run docs:configuration` writes it anew', () => {
  expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configurationPage());
});

it('has every setting in exactly one concern', () => {
  const inConcerns = Object.values(CONCERNS).flatMap((settings) => Object.keys(settings));
  expect(inConcerns.sort()).toEqual(Object.keys(SETTINGS).sort());
});

it.each(Object.values(SETTINGS).map((setting) => [setting.name, setting] as const))(
  '%s is explained in whole sentences, with a unit, and its default is valid',
  (_, { what, unit, fallback, parse }) => {
    expect(what).toMatch(/^[A-Z].*\.$/);
    expect(unit).not.toBe('');
    expect(() => parse(fallback)).not.toThrow();
  },
);

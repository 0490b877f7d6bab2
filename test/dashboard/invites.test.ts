import { describe, expect, it } from '@jest/globals';
import { linkOf, tokenIn, USUAL_VALIDITY, VALIDITIES } from '../../static/src/state/invites.js';

const TOKEN = `vx_invite_${'0123456789abcdef'.repeat(4)}`;

describe('the link of an invitation', () => {
  it('is an address of this service, with the token where no server is told it', () => {
    const link = new URL(linkOf(`/app/invite#${TOKEN}`, 'https://flags.example.com'));
    expect([link.origin, link.pathname, link.search]).toEqual([
      'https://flags.example.com',
      '/app/invite',
      '',
    ]);
    expect(tokenIn(link.hash.slice(1))).toBe(TOKEN);
  });

  it.each([TOKEN, `${TOKEN}.`, `${TOKEN}>`, `${TOKEN}%20`, ` ${TOKEN}`, `${TOKEN}?utm=x`, `<${TOKEN}>,`])(
    'is read from %j, whatever stands around it',
    (fragment) => expect(tokenIn(fragment)).toBe(TOKEN),
  );

  it.each(['', 'x', TOKEN.slice(0, -1), `${TOKEN}0`, TOKEN.toUpperCase(), TOKEN.slice(3), 'vx_invite_'])(
    'is not complete with %j',
    (fragment) => expect(tokenIn(fragment)).toBeUndefined(),
  );
});

it('an invitation is usually good for one of the times that can be chosen, all of which the service takes', () => {
  const hours = VALIDITIES.map(([value]) => value);
  expect(hours).toContain(USUAL_VALIDITY);
  for (const value of hours) expect(value >= 1 && value <= 720).toBe(true);
});

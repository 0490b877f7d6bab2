/** The hand-written readers of dates, addresses and versions, held to other people's. */
import { BlockList, isIP } from 'node:net';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readInstant } from '../../src/core/index.js';
import { noAddress, readAddress } from '../../src/core/ip.js';
import { compareVersions, noVersion, readVersion } from '../../src/core/semver.js';
import { evaluate } from '../../src/core/index.js';
import { compiledFrom, conditionWire, flagWire, ruleWire } from '../support/builders.js';

it('reads the instants that Date reads, with and without an offset', () => {
  const date = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
  fc.assert(
    fc.property(date, fc.integer({ min: -1_439, max: 1_439 }), (instant, offset) => {
      expect(readInstant(instant.toISOString())).toBe(instant.getTime());
      const local = new Date(instant.getTime() + offset * 60_000).toISOString().slice(0, -1);
      const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
      const size = Math.abs(offset);
      const text = `${local}${offset < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`;
      expect(readInstant(text)).toBe(instant.getTime());
    }),
    { numRuns: 2_000 },
  );
});

it('knows every day of the calendar, and no other', () => {
  for (const year of [1900, 1999, 2000, 2023, 2024, 2100]) {
    for (let month = 0; month <= 13; month += 1) {
      for (let day = 0; day <= 32; day += 1) {
        const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
        const parsed = Date.parse(text);
        const isDay = !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(text);
        expect(readInstant(text)).toBe(isDay ? parsed : NaN);
      }
    }
  }
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());

it('takes for an address what node takes for one', () => {
  const text = fc.oneof(address, fc.string({ unit: fc.constantFrom(...'0123456789abcf:.'.match(/./g)!) }));
  fc.assert(
    fc.property(text, (each) => {
      expect(readAddress(each, noAddress())).toBe(isIP(each) !== 0);
    }),
    { numRuns: 5_000 },
  );
});

it('finds addresses in networks as node does', () => {
  const isMapped = (text: string) => !readsAsV6(text) && text.includes(':');
  const network = fc
    .tuple(address, fc.nat(128))
    .map(([base, bits]) => ({ base, bits: isIP(base) === 4 ? bits % 33 : bits }));
  fc.assert(
    fc.property(fc.array(network, { minLength: 1, maxLength: 5 }), address, (networks, asked) => {
      fc.pre(![asked, ...networks.map(({ base }) => base)].some(isMapped));
      const list = new BlockList();
      for (const { base, bits } of networks) list.addSubnet(base, bits, isIP(base) === 4 ? 'ipv4' : 'ipv6');
      const values = networks.map(({ base, bits }) => `${base}/${bits}`);
      const compiled = compiledFrom(
        flagWire('f', {
          rules: [ruleWire('r', [conditionWire('ip', 'in_cidr', values)])],
          default_serve: { variant: 'off' },
        }),
      );
      const family = isIP(asked) === 4 ? 'ipv4' : 'ipv6';
      // Node finds v4 addresses in v6 networks that hold their mapped form; ours are never mixed.
      fc.pre(!networks.some(({ base, bits }) => isIP(base) === 6 && family === 'ipv4' && bits <= 96));
      expect(evaluate(compiled, 'f', { ip: asked }).value).toBe(list.check(asked, family));
    }),
    { numRuns: 2_000 },
  );
});

function readsAsV6(text: string): boolean {
  const read = noAddress();
  return readAddress(text, read) && read.isV6;
}

it('orders versions as the specification does', () => {
  // semver.org 2.0.0, section 11.
  const ordered = [
    ...[
      '0.0.0-0',
      '0.0.0',
      '0.0.1',
      '1.0.0-1',
      '1.0.0-2',
      '1.0.0-10',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
    ],
    ...[
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.1',
      '1.10.0',
      '2.0.0-x-y-z.--',
      '2.0.0',
    ],
  ].map((text) => {
    const version = noVersion();
    expect(readVersion(text, version)).toBe(true);
    return version;
  });
  for (const [i, one] of ordered.entries()) {
    for (const [j, other] of ordered.entries())
      expect(Math.sign(compareVersions(one, other))).toBe(Math.sign(i - j));
  }
});

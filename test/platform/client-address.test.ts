import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { clientAddress } from '../../src/platform/http/client-address.js';
import { httpAdapter } from '../../src/platform/http/setup.js';

const PROXY = '10.0.0.1';

/** @param forwarded what the proxy next to us passes on */
function addressOf(trustProxy: false | number | string[], forwarded: string | undefined, socket = PROXY) {
  const adapter = httpAdapter();
  adapter.getInstance<{ set(name: string, value: unknown): void }>().set('trust proxy', trustProxy);
  const app = { getHttpAdapter: () => adapter };
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const request = { socket: { remoteAddress: socket }, headers } as unknown as IncomingMessage;
  return clientAddress(app, { trustProxy })(request);
}

describe('the address that one trusted proxy tells', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    [' 192.0.2.1:4711 ', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['[::ffff:192.0.2.1]:4711', '::ffff:192.0.2.1'],
    ['[fe80::1%eth0]:4711', 'fe80::1%eth0'],
    ['198.51.100.7, 192.0.2.1:4711', '192.0.2.1'],
    // What is none is the proxy's own.
    [undefined, PROXY],
    ['', PROXY],
    [',', PROXY],
    ['unknown', PROXY],
    ['_hidden:4711', PROXY],
    ['192.0.2', PROXY],
    ['192.0.2.256', PROXY],
    ['192.0.2.1:', PROXY],
    ['192.0.2.1:port', PROXY],
    ['192.0.2.1:123456', PROXY],
    ['192.0.2.1:80:80', PROXY],
    ['010.0.0.1', PROXY],
    ['0x7f.1', PROXY],
    ['[192.0.2.1]:80', PROXY],
    ['[2001:db8::1', PROXY],
    ['[2001:db8::1]x', PROXY],
    ['[]:80', PROXY],
    ['2001:db8::g', PROXY],
    ['192.0.2.1\u0000', PROXY],
    ['for=192.0.2.1', PROXY],
    ['192.0.2.1, unknown', PROXY],
  ])('of %j is %s', (forwarded, address) => {
    expect(addressOf(1, forwarded)).toBe(address);
  });
});

it.each<[false | number | string[], string, string]>([
  [false, '192.0.2.1', PROXY],
  [2, '192.0.2.1:1, 10.0.0.2:2', '192.0.2.1'],
  [2, '192.0.2.1:1, unknown', PROXY],
  [2, 'unknown, 10.0.0.2:2', '10.0.0.2'],
  [1, '192.0.2.1:1, 10.0.0.2:2', '10.0.0.2'],
  [['10.0.0.0/8'], '192.0.2.1:1, 10.0.0.2:2, [::ffff:10.0.0.3]:3', '192.0.2.1'],
  [['10.0.0.0/8'], '192.0.2.1, 198.51.100.7:2, 10.0.0.3', '198.51.100.7'],
  [['10.0.0.0/8'], '192.0.2.1, 10.0.0.x, 10.0.0.3', '10.0.0.3'],
  [['192.168.0.0/16'], '192.0.2.1', PROXY],
])('with TRUST_PROXY %j, of %j it is %s', (trusted, forwarded, address) => {
  expect(addressOf(trusted, forwarded)).toBe(address);
});

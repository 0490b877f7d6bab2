import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Request } from 'express';
import { isIP, isIPv6 } from 'node:net';
import type { IncomingMessage } from 'node:http';
import proxyAddress from 'proxy-addr';
import type { Config } from '../config/settings.js';

/**
 * Reads the address of a client, with the proxies that TRUST_PROXY names. Some of those add the port to an address: it
 * changes with each connection and says nothing of who calls. What is no address ends the chain: then it is that
 * of the last hop that is known, so that nobody can be somebody else with each word they make up.
 * @returns an IPv4 or IPv6 address; `undefined` when the connection is gone
 */
export function clientAddress(
  app: Pick<NestExpressApplication, 'getHttpAdapter'>,
  { trustProxy }: Pick<Config, 'trustProxy'>,
): (request: IncomingMessage) => string | undefined {
  if (trustProxy === false) return ({ socket }) => socket.remoteAddress;
  const express = app.getHttpAdapter().getInstance() as { get(name: string): unknown };
  const isTrusted = express.get('trust proxy fn') as (address: string, hop: number) => boolean;
  return (request) => {
    // The one next to us first.
    const [nearest, ...told] = proxyAddress.all(request) as [string | undefined, ...string[]];
    let address = nearest;
    for (const [hop, entry] of told.entries()) {
      const next = address !== undefined && isTrusted(address, hop) ? addressIn(entry) : undefined;
      if (next === undefined) break;
      address = next;
    }
    return address;
  };
}

/** Makes `request.ip`, and with it Nest's `@Ip()`, say what `addressOf` does. */
export function tellAddress(
  app: Pick<NestExpressApplication, 'getHttpAdapter'>,
  addressOf: (request: IncomingMessage) => string | undefined,
): void {
  const { request } = app.getHttpAdapter().getInstance() as { request: Request };
  Object.defineProperty(request, 'ip', {
    configurable: true,
    get(this: Request): string | undefined {
      return addressOf(this);
    },
  });
}

const V4_WITH_PORT = /^([\d.]+):\d{1,5}$/;
const BRACKETED = /^\[([^[\]]+)\](?::\d{1,5})?$/;

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; `undefined` for all else. */
function addressIn(entry: string): string | undefined {
  const bracketed = BRACKETED.exec(entry)?.[1];
  if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
  const address = V4_WITH_PORT.exec(entry)?.[1] ?? entry;
  return isIP(address) === 0 ? undefined : address;
}

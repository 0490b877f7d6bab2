import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IncomingMessage } from 'node:http';
import proxyAddress from 'proxy-addr';
import type { Config } from '../config/settings.js';

/** Reads the address of a client as Express does for `request.ip`, with the proxies that TRUST_PROXY names. */
export function clientAddress(
  app: NestExpressApplication,
  { trustProxy }: Config,
): (request: IncomingMessage) => string | undefined {
  if (trustProxy === false) return ({ socket }) => socket.remoteAddress;
  const express = app.getHttpAdapter().getInstance() as { get(name: string): unknown };
  const isTrusted = express.get('trust proxy fn') as (address: string, hop: number) => boolean;
  return (request) => proxyAddress(request, isTrusted);
}

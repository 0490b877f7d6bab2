import type { Request, RequestHandler, Response } from 'express';
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { SERVICE_ANSWER } from './dto/operations.responses.js';
import { PROJECT_FOLDER } from './service-info.js';

/** The built dashboard. */
const FOLDER = join(PROJECT_FOLDER, 'dist', 'static');
const FOREVER = 'public, max-age=31536000, immutable';
/** A file of ours, and nothing that leads elsewhere. */
const FILE = /^\/(?:assets\/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** What stands at `/`: the dashboard for browsers, and for programs what this service is. */
export function sendRoot(request: Request, response: Response): void {
  if (wantsPage(request)) sendFile(request, response, '/index.html', 'no-cache');
  else response.json(SERVICE_ANSWER);
}

/** The dashboard's own addresses, `/app/…`: the page finds out by itself what to show. */
export function dashboard(): RequestHandler {
  return (request, response, next) => {
    if (isRead(request) && wantsPage(request)) sendFile(request, response, '/index.html', 'no-cache');
    else next();
  };
}

/** What the page consists of. Names under `/assets` hold a digest of what is in them; the others stay the same. */
export function pageFiles(): RequestHandler {
  return (request, response, next) => {
    const path = `${request.baseUrl}${request.path === '/' ? '' : request.path}`;
    const isHashed = path.startsWith('/assets/');
    if (!isRead(request) || !FILE.test(path) || /\.(?:br|gz)$/.test(path) || !existsSync(join(FOLDER, path)))
      next();
    else sendFile(request, response, path, isHashed ? FOREVER : 'no-cache');
  };
}

/** In the smallest form that the caller takes, as the build has made it. */
function sendFile(request: Request, response: Response, path: string, cacheControl: string): void {
  const coding = (['br', 'gzip'] as const).find((name) => request.acceptsEncodings(name) === name);
  const packed = coding && `${path}.${coding === 'br' ? 'br' : 'gz'}`;
  const isPacked = packed !== undefined && existsSync(join(FOLDER, packed));
  response.type(extname(path)).vary('Accept-Encoding').set('Cache-Control', cacheControl);
  if (isPacked) response.set('Content-Encoding', coding);
  response.sendFile(isPacked ? packed : path, { root: FOLDER, cacheControl: false });
}

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';
const wantsPage = (request: Request): boolean => request.accepts(['json', 'html']) === 'html';

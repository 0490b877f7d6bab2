import express, { type Request, type RequestHandler, type Response } from 'express';
import { join } from 'node:path';
import { SERVICE_ANSWER } from './dto/operations.responses.js';
import { PROJECT_FOLDER } from './service-info.js';

const FOLDER = join(PROJECT_FOLDER, 'static');

/** What stands at `/`: a page for browsers, and for programs what this service is. */
export function sendRoot(request: Request, response: Response): void {
  if (request.accepts(['json', 'html']) === 'html')
    response.set('Cache-Control', 'no-cache').sendFile('index.html', { root: FOLDER });
  else response.json(SERVICE_ANSWER);
}

/** What the page consists of: styles, icon. */
export function assets(): RequestHandler {
  return express.static(join(FOLDER, 'assets'), { index: false, redirect: false, maxAge: '1h' });
}

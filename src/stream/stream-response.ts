import type { Request, Response } from 'express';
import type { ServedRuleset } from './feeds.service.js';
import type { AdmittedStream } from './streams.service.js';

/**
 * Begins a stream at once, so that the client and all between know what it is before anything happens. A stream that cannot
 * begin gives its place back.
 */
export function sendStream(request: Request, response: Response, stream: AdmittedStream): void {
  try {
    begin(request, response, stream);
  } catch (error) {
    stream.giveUp();
    throw error;
  }
}

function begin(request: Request, response: Response, stream: AdmittedStream): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    // nginx would keep events back until it has a bufferful.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  if (request.method === 'HEAD') {
    stream.giveUp();
    response.end();
  } else {
    // It has heartbeats and a watch of its own.
    request.socket.setTimeout(0);
    stream.begin(response);
  }
}

/**
 * The one answer with an ETag for `If-None-Match`: unlike a version, an id names a state of everything in the body, in one
 * history. Express compares, and answers 304.
 */
export function sendRuleset(response: Response, { id, json, isStale }: ServedRuleset): void {
  response.set({
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'private, no-cache',
    ETag: `"${id}"`,
    'X-Snapshot': isStale ? 'STALE' : 'FRESH',
  });
  response.send(json);
}

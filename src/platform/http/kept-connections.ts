import type { RequestHandler } from 'express';
import type { Server, ServerResponse } from 'node:http';

/** Longer than the usual 60 s of a load balancer, so that it never reuses a connection that is just being closed. */
const IDLE_SECONDS = 65;

/** Says how long a connection is kept: name and value. */
export const KEEP_ALIVE = ['Keep-Alive', `timeout=${IDLE_SECONDS}`] as const;

/**
 * Ends connections on which nothing moves: idle ones, and an answer that nobody takes is memory. What is slow and goes on is left
 * alone. One timer watches a connection for its whole life; Node's own limit for idle ones sets two with each request, which takes
 * a tenth of the time of a plain answer (ADR 0017), and it is that limit with which Node says `Keep-Alive`.
 */
export function endIdleConnections(server: Server): void {
  server.timeout = IDLE_SECONDS * 1000;
  server.keepAliveTimeout = 0;
}

/** Whether Node will keep the connection after an answer. */
export const isKept = (response: ServerResponse): boolean =>
  response.shouldKeepAlive && !response.hasHeader('Connection');

export const sayKeepAlive: RequestHandler = (_request, response, next) => {
  if (isKept(response)) response.setHeader(...KEEP_ALIVE);
  next();
};

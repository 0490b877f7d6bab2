import type { RequestHandler } from 'express';
import { securityHeaders } from './security-headers.js';

/**
 * The headers that every answer to a path has when no page of another origin asks, names and values in turn: what the
 * middleware sets, run against a recorder.
 */
export function commonHeaders(path: string): readonly string[] {
  const headers = new Map<string, string>();
  const response = {
    setHeader: (name: string, value: unknown) => headers.set(name, String(value)),
    removeHeader: (name: string) => headers.delete(name),
  };
  const handle: RequestHandler = securityHeaders();
  void handle({ path } as never, response as never, (error?: unknown) => {
    if (error) throw error as Error;
  });
  return [...headers].flat();
}

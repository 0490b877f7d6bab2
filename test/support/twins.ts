import { expect } from '@jest/globals';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApp, type TestApp } from './app.js';
import { sendBytes } from './send.js';

/** A request as it goes over the wire. */
export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly string[];
  /** Sent with its length and as JSON, unless `headers` say otherwise. */
  readonly body?: string;
}

/** Two services on one database: one with the door in front, and one where requests are logged, so that the application answers them all. */
export interface Twins {
  readonly door: TestApp;
  readonly application: TestApp;
  /** The whole answer of one of them as it came over the wire, but for what is never twice the same. */
  answerOf(app: TestApp, asked: Asked): Promise<string>;
  /** Asks both. @returns the answer */
  expectSame(asked: Asked): Promise<string>;
  /** Waits until both know of all keys and flags. */
  settle(secrets: readonly string[], path: string): Promise<void>;
  close(): Promise<void>;
}

const CLOSING = ['Host: vexil', 'Connection: close'];

export async function startTwins(env: Record<string, string> = {}): Promise<Twins> {
  const door = await startApp(env);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const application = await startApp({}, { database: door.database, config: door.config, log: silent });

  async function answerOf(
    { url }: TestApp,
    { method = 'GET', path, headers = [], body }: Asked,
    // Whoever keeps the connection ends it with another question.
    isKept = false,
  ) {
    const named = new Set(headers.map((line) => line.split(':', 1)[0]?.toLowerCase()));
    const own = [
      ...(named.has('content-type') ? [] : ['Content-Type: application/json']),
      ...(named.has('content-length') || named.has('transfer-encoding')
        ? []
        : [`Content-Length: ${Buffer.byteLength(body ?? '')}`]),
    ];
    const lines = [`${method} ${path} HTTP/1.1`, ...(isKept ? ['Host: vexil'] : CLOSING), ...headers];
    const text = [...lines, ...(body === undefined ? [] : own), '', body ?? ''].join('\r\n');
    const last = isKept ? ['GET /health/live HTTP/1.1', ...CLOSING, '', ''].join('\r\n') : '';
    return (await sendBytes(url, text + last))
      .replace(/^Date: .*$/gm, 'Date')
      .replace(/^X-Request-Id: [0-9a-f-]{36}$/gm, 'X-Request-Id')
      .replace(/^(X-RateLimit-(?:Remaining|Reset)): \d+$/gm, '$1')
      .replace(/"request_id":"[0-9a-f-]{36}"/g, '"request_id"');
  }

  return {
    door,
    application,
    answerOf,
    async expectSame(asked) {
      const answer = await answerOf(door, asked);
      expect(answer).toBe(await answerOf(application, asked));
      expect(await answerOf(door, asked, true)).toBe(await answerOf(application, asked, true));
      return answer;
    },
    async settle(secrets, path) {
      for (const { http } of [door, application])
        for (const secret of secrets)
          for (let attempt = 0; attempt < 400; attempt += 1) {
            const { text } = await http.get(path).set('X-API-Key', secret);
            if (!text.includes('invalid_api_key') && !text.includes('not found')) break;
            await sleep(50);
          }
    },
    async close() {
      await application.close();
      await door.close();
    },
  };
}

import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from './problem.js';

/** What is not even HTTP, in Node's words and ours; anything else that is wrong with a request is a 400. */
const FAULTS: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'The headers are larger than this service reads.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'body_too_large',
    detail: 'The body is larger than this service reads.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_timeout',
    detail: 'The request did not arrive in time.',
  },
};
const MALFORMED = {
  status: 400,
  code: 'malformed_request',
  detail: 'The request could not be read as HTTP.',
};

/** Answers with a problem document also where Node itself refuses a request before any route sees it. */
export function answerUnreadable(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // As Node itself does it: never into the middle of an answer.
    const begun = (socket as { _httpMessage?: { headersSent: boolean } | null })._httpMessage;
    if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent) {
      socket.destroy();
      return;
    }
    const { status, code, detail } = FAULTS[error.code ?? ''] ?? MALFORMED;
    const title = STATUS_CODES[status] ?? '';
    const problem: Problem = { type: 'about:blank', title, status, code, detail, request_id: null };
    const body = JSON.stringify(problem);
    socket.end(
      [
        `HTTP/1.1 ${status} ${title}`,
        'Content-Type: application/problem+json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Cache-Control: no-store',
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  });
  // Whoever expects something unknown is answered like anybody else.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

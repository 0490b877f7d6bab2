import type { IncomingMessage } from 'node:http';

/**
 * Reads the body of a request where it comes in one piece, as a small one does.
 * @param length in bytes, as its headers say: `request.headers` would be put together anew just for this
 * @param take gets the whole body; says whether that was all there was to do
 * @param leave called otherwise; the request is then as if nobody had looked at its body
 */
export function readArrivedBody(
  request: IncomingMessage,
  length: number,
  take: (body: Buffer) => boolean,
  leave: () => void,
): void {
  request.once('readable', () => {
    const piece = request.read() as Buffer | null;
    if (piece?.length === length && take(piece)) return;
    // In front again, before anybody can be told that it has ended.
    if (piece) request.unshift(piece);
    leave();
  });
}

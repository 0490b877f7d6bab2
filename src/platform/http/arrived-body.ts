import type { IncomingMessage } from 'node:http';

/**
 * Reads the body of a request where it comes in one piece, as a small one does: as the parser hands it on, since a stream that is
 * read for one piece is a good part of the time of a plain answer (ADR 0017).
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
  // eslint-disable-next-line @typescript-eslint/unbound-method -- is put back as it was
  const { push } = request;
  let body: Buffer | undefined;
  request.push = (piece: Buffer | null): boolean => {
    if (piece !== null && body === undefined && piece.length === length) {
      body = piece;
      return true;
    }
    request.push = push;
    const isTaken = piece === null && body !== undefined && take(body);
    if (body !== undefined && !isTaken) request.push(body);
    const hasRoom = request.push(piece);
    if (!isTaken) leave();
    return hasRoom;
  };
}

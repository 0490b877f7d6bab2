/** Server-sent events as they go over the wire. Source: HTML Standard, 9.2 Server-sent events. */

/** What is sent, and nothing else ever: none of these can hold the end of a line, which would begin another field. */
export type EventName = 'ruleset' | 'change' | 'resync' | 'closed';

const AFTER = Buffer.from('\n\n');

/** @param json in one line, as JSON.stringify writes it */
export function eventOf(name: EventName, json: string, id?: string): Buffer {
  return Buffer.from(`${headOf(name, id)}${json}\n\n`);
}

/** An event around JSON that is wanted by itself as well, without keeping it twice. */
export function eventAround(name: EventName, json: string, id: string): { event: Buffer; json: Buffer } {
  const event = eventOf(name, json, id);
  return { event, json: event.subarray(Buffer.byteLength(headOf(name, id)), event.length - AFTER.length) };
}

/** Says after how long a client is to come again when the connection ends. */
export const retryAfter = (ms: number): string => `retry: ${Math.round(ms)}\n\n`;

/** An event of the default name, `message`. @param json in one line */
export const messageOf = (json: string, id: string): Buffer => Buffer.from(`id: ${id}\ndata: ${json}\n\n`);

/** Nothing, so that neither side takes the other for gone. */
export const HEARTBEAT = Buffer.from(':\n\n');

const headOf = (name: EventName, id: string | undefined): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: `;

/** Type bytes of the messages the database sends. Source: PostgreSQL manual, "Message Formats". */
const BACKEND = {
  notificationResponse: 0x41,
  commandComplete: 0x43,
  dataRow: 0x44,
  errorResponse: 0x45,
  readyForQuery: 0x5a,
} as const;

/** Whether a session is idle ('I'), inside a transaction ('T') or inside a failed one ('E'). */
export type TransactionStatus = 'I' | 'T' | 'E';

/** What one turn on the database answered. */
export interface Reply {
  /** Every message but the notifications, ready to be sent to the client that asked. */
  readonly body: Buffer;
  /** Whole NotificationResponse messages, in order. */
  readonly notifications: readonly Buffer[];
  /** The status in the last ReadyForQuery, or undefined when none came (an extended query without its Sync). */
  readonly status: TransactionStatus | undefined;
  readonly hasFailed: boolean;
  /** The tag of the last CommandComplete, such as 'COMMIT' or 'INSERT 0 1'. */
  readonly lastTag: string | undefined;
}

/** Reads the answer of one turn: whole messages, as the database wrote them. */
export function readReply(bytes: Buffer): Reply {
  const notifications: Buffer[] = [];
  const rest: Buffer[] = [];
  let restFrom = 0;
  let status: TransactionStatus | undefined;
  let hasFailed = false;
  let tagAt: readonly [number, number] | undefined;
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    switch (bytes.readUInt8(at)) {
      case BACKEND.notificationResponse:
        notifications.push(bytes.subarray(at, end));
        rest.push(bytes.subarray(restFrom, at));
        restFrom = end;
        break;
      case BACKEND.commandComplete:
        tagAt = [at + 5, end - 1];
        break;
      case BACKEND.errorResponse:
        hasFailed = true;
        break;
      case BACKEND.readyForQuery:
        status = String.fromCharCode(bytes[at + 5] ?? 0) as TransactionStatus;
        break;
    }
    at = end;
  }
  return {
    body: restFrom === 0 ? bytes : Buffer.concat([...rest, bytes.subarray(restFrom)]),
    notifications,
    status,
    hasFailed,
    lastTag: tagAt && bytes.toString('latin1', ...tagAt),
  };
}

/** The values of the first column of every row in an answer, as text; without the nulls. */
export function firstColumn({ body }: Reply): string[] {
  const values: string[] = [];
  for (let at = 0; at < body.length; at += 1 + body.readInt32BE(at + 1)) {
    if (body.readUInt8(at) !== BACKEND.dataRow) continue;
    const length = body.readInt32BE(at + 7);
    if (length >= 0) values.push(body.toString('utf8', at + 11, at + 11 + length));
  }
  return values;
}

/** The channel a NotificationResponse is for. */
export function channelOf(notification: Buffer): string {
  return notification.toString('utf8', 9, notification.indexOf(0, 9));
}

/** A copy of a NotificationResponse that names another sender. */
export function notificationFrom(notification: Buffer, processId: number): Buffer {
  const copy = Buffer.from(notification);
  copy.writeInt32BE(processId, 5);
  return copy;
}

function frame(type: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(5 + body.length);
  bytes.write(type, 0, 'latin1');
  bytes.writeInt32BE(4 + body.length, 1);
  body.copy(bytes, 5);
  return bytes;
}

function int32(...values: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  values.forEach((value, index) => bytes.writeInt32BE(value, 4 * index));
  return bytes;
}

/** A refusal in the words of the protocol. */
export interface WireError {
  readonly severity: 'ERROR' | 'FATAL';
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly message: string;
}

export function errorResponse({ severity, code, message }: WireError): Buffer {
  return frame('E', Buffer.from(`S${severity}\0V${severity}\0C${code}\0M${message}\0\0`));
}

export function readyForQuery(status: TransactionStatus): Buffer {
  return frame('Z', Buffer.from(status));
}

/** The answer to SSLRequest and GSSENCRequest: not here. */
export const NO_ENCRYPTION = Buffer.from('N');

/** What a server says after the startup packet: welcome, its parameters, the key, ready. */
export function greeting(
  parameters: Readonly<Record<string, string>>,
  processId: number,
  secret: number,
): Buffer {
  return Buffer.concat([
    frame('R', int32(0)),
    ...Object.entries(parameters).map(([name, value]) => frame('S', Buffer.from(`${name}\0${value}\0`))),
    frame('K', int32(processId, secret)),
    readyForQuery('I'),
  ]);
}

/** Answers a client that asked for a newer minor version: 3.0, and none of its protocol options. */
export function negotiateProtocolVersion(unknownOptions: readonly string[]): Buffer {
  const names = unknownOptions.map((name) => `${name}\0`).join('');
  return frame('v', Buffer.concat([int32(196_608, unknownOptions.length), Buffer.from(names)]));
}

import {
  closeStatement,
  FRONTEND,
  type FrontendMessage,
  MalformedMessage,
  query,
  SYNC,
  wireString,
  withString,
} from './frontend-messages.js';
import { type SessionCommand, sessionCommands } from './session-commands.js';

/** Messages that the database must see together, without another session's in between. */
export interface Batch {
  readonly messages: readonly Buffer[];
  readonly byteLength: number;
  /** Whether a ReadyForQuery ends the answer: not so after a Flush, which leaves the session in mid-query. */
  readonly isComplete: boolean;
  readonly commands: readonly SessionCommand[];
  /**
   * The unnamed prepared statement belongs to the whole backend. When another session has used it since, this
   * message must go first: it puts this session's statement back (or removes the other's).
   */
  readonly restoreUnnamed: Buffer | undefined;
  /** Whether afterwards the backend's unnamed statement is this session's own. */
  readonly claimsUnnamed: boolean;
}

const REFUSED_COPY = `DO $$BEGIN RAISE feature_not_supported
  USING MESSAGE = 'the embedded database does not take COPY ... FROM STDIN', HINT = 'Use INSERT.'; END$$`;

/**
 * Gathers one session's messages into batches, and keeps its prepared statements apart from those of the other
 * sessions, with which it shares a backend: a statement's name is replaced by one that no other session uses.
 */
export class BatchReader {
  private messages: Buffer[] = [];
  private commands: SessionCommand[] = [];
  private restoreUnnamed: Buffer | undefined;
  private claimsUnnamed = false;

  private unnamedParse: Buffer | undefined;
  private nextName = 0;
  private readonly backendNames = new Map<string, string>();
  private readonly commandsByStatement = new Map<string, SessionCommand[]>();

  /** @param sessionId a number that no other session of this backend has */
  constructor(private readonly sessionId: number) {}

  /**
   * @returns the batch which this message completes, if it does
   * @throws MalformedMessage when the message is not one of the protocol
   */
  read({ type, bytes }: FrontendMessage): Batch | undefined {
    switch (type) {
      case FRONTEND.query:
        this.unnamedParse = undefined;
        this.claimsUnnamed = true;
        return this.finish(this.simpleQuery(bytes), true);
      case FRONTEND.functionCall:
      case FRONTEND.sync:
        return this.finish(bytes, true);
      case FRONTEND.flush:
        return this.finish(bytes, false);
      case FRONTEND.execute:
        this.messages.push(bytes);
        return undefined;
      case FRONTEND.parse:
        this.messages.push(this.parse(bytes));
        return undefined;
      case FRONTEND.bind:
        this.messages.push(this.bind(bytes));
        return undefined;
      case FRONTEND.describe:
      case FRONTEND.close:
        this.messages.push(this.describeOrClose(type, bytes));
        return undefined;
      case FRONTEND.copyData:
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        // Left over from a COPY that failed: the protocol says to ignore them.
        return undefined;
      default:
        throw new MalformedMessage(`invalid frontend message type ${type}`);
    }
  }

  /** What to run when the session ends, so that its prepared statements do not pile up; undefined for nothing. */
  farewell(): Buffer | undefined {
    if (this.backendNames.size === 0) return undefined;
    return Buffer.concat([...[...this.backendNames.values()].map(closeStatement), SYNC]);
  }

  private finish(message: Buffer, isComplete: boolean): Batch {
    const messages = [...this.messages, message];
    const batch: Batch = {
      messages,
      byteLength: messages.reduce((sum, { length }) => sum + length, 0),
      isComplete,
      commands: this.commands,
      restoreUnnamed: this.restoreUnnamed,
      claimsUnnamed: this.claimsUnnamed,
    };
    this.messages = [];
    this.commands = [];
    this.restoreUnnamed = undefined;
    this.claimsUnnamed = false;
    return batch;
  }

  private simpleQuery(bytes: Buffer): Buffer {
    const commands = sessionCommands(wireString(bytes, 5).text);
    if (commands.some(isCopyIn)) return query(REFUSED_COPY);
    this.commands.push(...commands);
    return bytes;
  }

  private parse(bytes: Buffer): Buffer {
    const name = wireString(bytes, 5);
    const sql = wireString(bytes, name.end);
    const commands = sessionCommands(sql.text);
    if (commands.length > 0) this.commandsByStatement.set(name.text, commands);
    else this.commandsByStatement.delete(name.text);
    const accepted = commands.some(isCopyIn) ? withString(bytes, sql, REFUSED_COPY) : bytes;
    if (name.text !== '') return withString(accepted, name, this.backendName(name.text));
    // A copy: it may be kept for long, and must not keep its whole chunk alive.
    this.unnamedParse = Buffer.from(accepted);
    this.claimsUnnamed = true;
    return accepted;
  }

  private bind(bytes: Buffer): Buffer {
    const portal = wireString(bytes, 5);
    const name = wireString(bytes, portal.end);
    this.commands.push(...(this.commandsByStatement.get(name.text) ?? []));
    if (name.text !== '') return withString(bytes, name, this.backendName(name.text));
    this.needUnnamed();
    return bytes;
  }

  private describeOrClose(type: number, bytes: Buffer): Buffer {
    if (String.fromCharCode(bytes[5] ?? 0) !== 'S') return bytes;
    const name = wireString(bytes, 6);
    if (name.text === '') {
      if (type === FRONTEND.describe) this.needUnnamed();
      else this.unnamedParse = undefined;
      return bytes;
    }
    const renamed = withString(bytes, name, this.backendName(name.text));
    if (type === FRONTEND.close) this.backendNames.delete(name.text);
    return renamed;
  }

  private needUnnamed(): void {
    if (!this.claimsUnnamed) this.restoreUnnamed ??= this.unnamedParse ?? closeStatement('');
    this.claimsUnnamed = true;
  }

  /** Short, for the backend cuts names to 63 bytes. */
  private backendName(name: string): string {
    let known = this.backendNames.get(name);
    if (known === undefined) {
      known = `session_${this.sessionId}_${this.nextName++}`;
      this.backendNames.set(name, known);
    }
    return known;
  }
}

function isCopyIn({ kind }: SessionCommand): boolean {
  return kind === 'copy in';
}

import { randomInt } from 'node:crypto';
import {
  errorResponse,
  greeting,
  negotiateProtocolVersion,
  NO_ENCRYPTION,
  readyForQuery,
  type TransactionStatus,
  type WireError,
} from './backend-messages.js';
import { type Batch, BatchReader } from './batch-reader.js';
import {
  FRONTEND,
  type FrontendMessage,
  FrontendSplitter,
  MalformedMessage,
  STARTUP_REQUEST,
  wireString,
} from './frontend-messages.js';
import { Listening } from './listening.js';

/** Where a session's answers go. */
export interface Peer {
  send(bytes: Buffer): void;
  /** No more answers follow; the connection ends in peace. */
  end(): void;
  destroy(error: Error): void;
}

/** What a session needs from the multiplexer: a turn on the backend, and to be forgotten. */
export interface Turns {
  readonly parameters: Readonly<Record<string, string>>;
  /** The session has work, or has ended. */
  wake(session: Session): void;
}

const TIMED_OUT: WireError = {
  severity: 'ERROR',
  code: '25P03',
  message: 'the transaction was rolled back: it was left idle while it held the embedded database',
};

/**
 * The server's end of one connection: reads its messages, keeps its batches in order until the multiplexer gives it a
 * turn, and answers by itself whatever does not need the database.
 */
export class Session {
  readonly listening = new Listening();
  readonly reader: BatchReader;
  private readonly splitter = new FrontendSplitter();
  private readonly batches: Batch[] = [];
  /** No more batches will come: said goodbye, or was cut off. */
  private hasLeft = false;
  private isEnded = false;
  /** As the client knows it. */
  status: TransactionStatus = 'I';
  /** What was taken away: said with the next batch, and for a transaction until the client ends it. */
  private lost: 'query' | 'transaction' | undefined;
  /** An error was answered in mid-query: everything is passed over until Sync, and answered with this status. */
  private skipsUntilSync: TransactionStatus | undefined;

  /** @param id also the process id that the client is told, and that its notifications carry */
  constructor(
    readonly id: number,
    private readonly peer: Peer,
    private readonly turns: Turns,
  ) {
    this.reader = new BatchReader(id);
  }

  /** Takes bytes from the client, cut anywhere. */
  receive(chunk: Buffer): void {
    if (this.hasLeft) return;
    this.splitter.push(chunk);
    try {
      for (let message = this.splitter.next(); message; message = this.splitter.next()) this.take(message);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.expel({ severity: 'FATAL', code: '08P01', message: error.message });
    }
    this.wake();
  }

  /** The client says no more; what it has asked before is still done. */
  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.wake();
  }

  /** The connection is gone: what has not begun is not done. */
  abandon(): void {
    if (this.isEnded) return;
    this.batches.length = 0;
    this.hasLeft = true;
    this.wake();
  }

  /** Ends the session from the server's side, with a reason. */
  expel(error: WireError): void {
    this.batches.length = 0;
    this.hasLeft = true;
    this.peer.send(errorResponse(error));
  }

  /** The next batch for the database; undefined when the client owes one. */
  get next(): Batch | undefined {
    return this.batches[0];
  }

  get isOver(): boolean {
    return this.hasLeft && this.batches.length === 0;
  }

  /** Removes the batch that was just seen as `next`. */
  shift(): void {
    this.batches.shift();
  }

  send(bytes: Buffer): void {
    if (!this.isEnded) this.peer.send(bytes);
  }

  /** Answers the next batch with an error instead of running it. */
  refuse(error: WireError, status: TransactionStatus): void {
    const batch = this.batches.shift();
    this.send(errorResponse(error));
    if (batch?.isComplete === false) this.skipsUntilSync = status;
    else this.send(readyForQuery(status));
    this.answerAlone();
  }

  /** Its transaction has been rolled back behind its back; it will be told when it asks next. */
  loseTransaction(): void {
    this.lost = this.status === 'I' ? 'query' : 'transaction';
  }

  /** The multiplexer has forgotten the session. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.listening.stop();
    this.peer.end();
  }

  fail(error: Error): void {
    this.hasLeft = true;
    this.isEnded = true;
    this.batches.length = 0;
    this.peer.destroy(error);
  }

  private wake(): void {
    this.answerAlone();
    if (this.batches.length > 0 || this.hasLeft) this.turns.wake(this);
  }

  /** Answers the batches at the head of the queue that must not reach the database. */
  private answerAlone(): void {
    const [batch] = this.batches;
    if (!batch) return;
    if (this.skipsUntilSync) {
      this.batches.shift();
      if (batch.isComplete) {
        this.send(readyForQuery(this.skipsUntilSync));
        this.skipsUntilSync = undefined;
      }
      this.answerAlone();
    } else if (this.lost) {
      const ending = batch.commands.find(({ kind }) => kind === 'rollback' || kind === 'commit')?.kind;
      const isAcknowledged = this.lost === 'query' || ending !== undefined;
      if (isAcknowledged) this.lost = undefined;
      if (ending !== 'rollback') this.refuse(TIMED_OUT, isAcknowledged ? 'I' : 'E');
    }
  }

  private take(message: FrontendMessage): void {
    if (this.hasLeft) return;
    if (message.type === FRONTEND.untyped) this.start(message.bytes);
    else if (message.type === FRONTEND.terminate) this.hasLeft = true;
    else {
      const batch = this.reader.read(message);
      if (batch) this.batches.push(batch);
    }
  }

  private start(packet: Buffer): void {
    const request = packet.readInt32BE(4);
    if (request === STARTUP_REQUEST.ssl || request === STARTUP_REQUEST.gssEncryption) {
      this.send(NO_ENCRYPTION);
      return;
    }
    const [major, minor] = [request >>> 16, request & 0xffff];
    // There is no cancelling a query in WebAssembly; as in Postgres, the request gets no answer.
    if (request === STARTUP_REQUEST.cancel) this.hasLeft = true;
    else if (major !== 3)
      this.expel({
        severity: 'FATAL',
        code: '0A000',
        message: `unsupported frontend protocol ${major}.${minor}`,
      });
    else {
      this.splitter.start();
      const unknownOptions = startupNames(packet).filter((name) => name.startsWith('_pq_.'));
      if (minor > 0 || unknownOptions.length > 0) this.send(negotiateProtocolVersion(unknownOptions));
      this.send(greeting(this.turns.parameters, this.id, randomInt(2 ** 31)));
    }
  }
}

function startupNames(packet: Buffer): string[] {
  const names: string[] = [];
  for (let at = 8; at < packet.length && packet[at] !== 0;) {
    const name = wireString(packet, at);
    names.push(name.text);
    at = wireString(packet, name.end).end;
  }
  return names;
}

import { channelOf, notificationFrom, readReply, type Reply, type WireError } from './backend-messages.js';
import type { Batch } from './batch-reader.js';
import { query, SYNC } from './frontend-messages.js';
import { Listening } from './listening.js';
import { type Peer, Session, type Turns } from './session.js';

/** Runs whole protocol messages on the one backend there is, and gives what it wrote in answer. */
export interface Backend {
  readonly parameters: Readonly<Record<string, string>>;
  /** @throws when the backend has died */
  execute(messages: readonly Uint8Array[], byteLength: number): Promise<Buffer>;
}

export interface MultiplexerOptions {
  /** How long a session waits for its turn before it gets an error (SQLSTATE 55P03), in milliseconds. */
  readonly turnTimeoutMs: number;
  /** How long a transaction may stay idle before it is rolled back (SQLSTATE 25P03), in milliseconds. */
  readonly idleTransactionTimeoutMs: number;
}

/**
 * Lets many sessions share one backend, which knows only one. They take turns, first come first served; a turn lasts one
 * batch, or, for a session inside a transaction, until that is over. So no session ever sees, or spoils, another's
 * transaction. What the backend keeps for a whole connection is shared all the same: SET without LOCAL, temporary
 * tables, SQL-level PREPARE, and session-level advisory locks, which therefore exclude nobody (those of a transaction,
 * `pg_advisory_xact_lock`, do).
 */
export class Multiplexer implements Turns {
  private readonly sessions = new Set<Session>();
  private readonly waiting = new Map<Session, NodeJS.Timeout | undefined>();
  private readonly chores: Chore[] = [];
  /** Who is inside a transaction, or in mid-query, and so has the backend for itself. */
  private owner: Session | undefined;
  private serving: Session | undefined;
  private unnamedStatementOf: Session | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private isStopped = false;
  private lastSessionId = 0;
  private servedBatches = 0;

  constructor(
    private readonly backend: Backend,
    private readonly options: MultiplexerOptions,
  ) {}

  get parameters(): Readonly<Record<string, string>> {
    return this.backend.parameters;
  }

  /** How many batches have been run for sessions: whether anything has happened since one looked last. */
  get batchCount(): number {
    return this.servedBatches;
  }

  connect(peer: Peer): Session {
    const session = new Session(++this.lastSessionId, peer, this);
    this.sessions.add(session);
    if (this.isStopped) session.fail(closed());
    return session;
  }

  wake(session: Session): void {
    if (this.isStopped || !this.sessions.has(session)) return;
    if (session !== this.owner && session !== this.serving) {
      if (session.next) this.queue(session);
      else if (session.isOver) this.forget(session);
    }
    this.work();
  }

  /** Runs `chore` on the backend while no session is inside a transaction. */
  async exclusively<T>(chore: () => Promise<T>): Promise<T> {
    if (this.isStopped) throw closed();
    return new Promise<T>((resolve, reject) => {
      this.chores.push({ run: () => chore().then(resolve, reject), cancel: reject });
      this.work();
    });
  }

  /** Runs one statement of the database's own, outside every session's transaction. */
  async query(sql: string): Promise<Reply> {
    return this.exclusively(() => this.execute(query(sql)));
  }

  /** Ends every session, once the turn that is being served is over. Transactions that are open are not committed. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    this.clearTimers();
    await this.working;
    for (const { cancel } of this.chores) cancel(closed());
    for (const session of this.sessions) {
      if (session.next)
        session.expel({ severity: 'FATAL', code: '57P01', message: 'the embedded database is closing' });
      session.end();
    }
    this.sessions.clear();
  }

  /** The backend is gone: every session fails with this error. */
  fail(error: Error): void {
    this.isStopped = true;
    this.clearTimers();
    for (const { cancel } of this.chores) cancel(error);
    for (const session of this.sessions) session.fail(error);
    this.sessions.clear();
  }

  private queue(session: Session): void {
    if (this.waiting.has(session)) return;
    // Without this check every query would start a timer, though most are served at once.
    const mustWait = this.owner !== undefined || this.working !== undefined;
    const { turnTimeoutMs } = this.options;
    this.waiting.set(session, mustWait ? setTimeout(() => this.turnAway(session), turnTimeoutMs) : undefined);
  }

  private unqueue(session: Session): void {
    clearTimeout(this.waiting.get(session));
    this.waiting.delete(session);
  }

  private turnAway(session: Session): void {
    this.unqueue(session);
    const error: WireError = {
      severity: 'ERROR',
      code: '55P03',
      message: `no turn on the embedded database within ${this.options.turnTimeoutMs} ms: another connection keeps it busy`,
    };
    session.refuse(error, 'I');
    this.wake(session);
  }

  private work(): void {
    if (this.working || this.isStopped) return;
    const job = this.nextJob();
    if (!job) return;
    this.working = this.workOn(job).finally(() => {
      this.working = undefined;
      // Something may have been asked between the last look and now.
      this.work();
    });
  }

  private async workOn(first: () => Promise<void>): Promise<void> {
    for (let job: typeof first | undefined = first; job; job = this.nextJob()) {
      try {
        await job();
      } catch (error) {
        // Only a dead backend throws. Nobody must be left waiting for it.
        this.fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  private nextJob(): (() => Promise<void>) | undefined {
    if (this.isStopped) return undefined;
    const { owner } = this;
    if (owner) {
      if (owner.next) return () => this.serve(owner);
      if (owner.isOver) return () => this.rollBack(owner);
      // Not begun anew when somebody else's wish brings us here.
      const { idleTransactionTimeoutMs } = this.options;
      this.idleTimer ??= setTimeout(() => this.takeTransactionFrom(owner), idleTransactionTimeoutMs);
      return undefined;
    }
    const chore = this.chores.shift();
    if (chore) return chore.run;
    for (const session of this.waiting.keys()) {
      this.unqueue(session);
      return () => this.serve(session);
    }
    return undefined;
  }

  private async serve(session: Session): Promise<void> {
    const batch = session.next;
    if (!batch) return;
    session.shift();
    this.stopIdleTimer();
    this.serving = session;
    this.servedBatches += 1;
    const reply = await this.run(session, batch);
    await this.settle(session, batch, reply);
    session.send(reply.body);
    this.deliver(reply.notifications, session);
    this.serving = undefined;
    this.wake(session);
  }

  private async run(session: Session, batch: Batch): Promise<Reply> {
    const restore = this.unnamedStatementOf === session ? undefined : batch.restoreUnnamed;
    if (batch.claimsUnnamed) this.unnamedStatementOf = session;
    if (!restore) return readReply(await this.backend.execute(batch.messages, batch.byteLength));
    const answer = await this.backend.execute(
      [restore, ...batch.messages],
      restore.length + batch.byteLength,
    );
    // The client did not send the first message, so its answer (five bytes, unless it failed) is not for it.
    const hasSucceeded = answer[0] === PARSE_COMPLETE || answer[0] === CLOSE_COMPLETE;
    return readReply(hasSucceeded ? answer.subarray(5) : answer);
  }

  /** Works out who has the backend from now on, and what the session listens to. */
  private async settle(session: Session, batch: Batch, { status, hasFailed, lastTag }: Reply): Promise<void> {
    if (!hasFailed) session.listening.note(batch.commands);
    session.status = status ?? session.status;
    // Without a status it is inside an extended query that waits for its Sync.
    this.owner = status === 'I' ? undefined : session;
    if (this.owner) return;
    // The COMMIT of a failed transaction succeeds as a ROLLBACK.
    const isCommitted = !hasFailed && lastTag !== 'ROLLBACK';
    if (session.listening.settle(isCommitted)) await this.listenAgain();
  }

  /** A session's UNLISTEN has made the backend deaf to channels that others still listen to. */
  private async listenAgain(): Promise<void> {
    const sql = Listening.statements([...this.sessions].map(({ listening }) => listening));
    if (sql !== '') await this.execute(query(sql));
  }

  private deliver(notifications: readonly Buffer[], sender: Session): void {
    for (const notification of notifications) {
      const channel = channelOf(notification);
      // The backend has one process id for all sessions; clients tell their own notifications by it.
      const message = notificationFrom(notification, sender.id);
      for (const session of this.sessions) if (session.listening.hears(channel)) session.send(message);
    }
  }

  private takeTransactionFrom(owner: Session): void {
    this.stopIdleTimer();
    if (this.owner !== owner || this.working) return;
    owner.loseTransaction();
    this.chores.unshift({ run: () => this.rollBack(owner), cancel: () => undefined });
    this.owner = undefined;
    this.work();
  }

  private async rollBack(session: Session): Promise<void> {
    // Sync ends an extended query that was left in the middle, and does nothing otherwise.
    await this.execute(SYNC, query('ROLLBACK'));
    session.listening.settle(false);
    session.status = 'I';
    this.owner = undefined;
    this.stopIdleTimer();
    if (session.isOver) this.forget(session);
  }

  private forget(session: Session): void {
    this.unqueue(session);
    this.sessions.delete(session);
    if (this.unnamedStatementOf === session) this.unnamedStatementOf = undefined;
    session.end();
    const farewell = session.reader.farewell();
    if (farewell)
      this.chores.push({ run: () => this.execute(farewell).then(() => undefined), cancel: () => undefined });
  }

  private async execute(...messages: Buffer[]): Promise<Reply> {
    // A simple query does away with the unnamed statement.
    this.unnamedStatementOf = undefined;
    const byteLength = messages.reduce((sum, { length }) => sum + length, 0);
    return readReply(await this.backend.execute(messages, byteLength));
  }

  private stopIdleTimer(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
  }

  private clearTimers(): void {
    this.stopIdleTimer();
    for (const timer of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }
}

const PARSE_COMPLETE = 0x31;
const CLOSE_COMPLETE = 0x33;

interface Chore {
  readonly run: () => Promise<void>;
  readonly cancel: (error: Error) => void;
}

/** As a server that is not running refuses its clients. */
function closed(): Error {
  return Object.assign(new Error('The embedded database is closed.'), { code: 'ECONNREFUSED' });
}

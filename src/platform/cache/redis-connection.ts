import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { createClient, type RedisClientType } from 'redis';
import { within } from './time-limit.js';

/** How long a TCP or TLS connection may take to come up. */
const CONNECT_MS = 1000;
/** A connected Redis that is silent for so long after a question is as good as gone. */
const SILENCE_MS = 2000;
const HEARTBEAT_MS = 1000;
const MAX_BACKOFF_MS = 2000;
/** Commands in flight; more than that are refused, so that a frozen Redis costs bounded memory. */
const MAX_QUEUED_COMMANDS = 10_000;

export interface RedisConnectionOptions {
  /** `redis[s]://[[user]:password@]host[:port][/database]` */
  readonly url: string;
  /** Of a `rediss://` address: any certificate will do. */
  readonly trustsAnyCertificate?: boolean;
}

/**
 * Owns one node-redis client and keeps it connected in the background, for as long as it is open.
 *
 * While there is no connection a command fails at once. A frozen Redis, or one behind a network that swallows
 * packets, is noticed by a heartbeat, dropped after some 2 s, and connected to anew; until then a command can hang,
 * so callers limit their own patience (see `Breaker`).
 *
 * The client's own reconnecting is off. It cannot be cancelled by `disconnect()`, which also leaks a socket that is
 * just being opened, and it waits for TCP to give up on a silent peer, which takes a quarter of an hour.
 */
export class RedisConnection {
  readonly client: RedisClientType;
  private readonly logger = new Logger(RedisConnection.name);
  /** Host and port, for people; the URL holds a password. */
  private readonly address: string;
  private readonly closing = new AbortController();
  private running: Promise<void> | undefined;
  /** A socket is being opened, which the client can neither cancel nor forget. */
  private isDialing = false;
  private isAnswering: boolean | undefined;
  private onLost: (error: Error) => void = () => undefined;

  /** @throws TypeError when the URL is not one of Redis */
  constructor(private readonly options: RedisConnectionOptions) {
    this.address = new URL(options.url).host;
    this.client = createClient({
      url: options.url,
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
      socket: {
        connectTimeout: CONNECT_MS,
        keepAlive: 5000,
        reconnectStrategy: false,
        ...(options.trustsAnyCertificate ? { rejectUnauthorized: false } : {}),
      },
    });
    this.client.on('error', (error: Error) => this.onLost(error));
  }

  /** Whether commands can be sent now. */
  get isUp(): boolean {
    return this.client.isReady;
  }

  /** Starts connecting and returns at once. Harmless when already open, or closed for good. */
  open(): void {
    this.running ??= this.run();
  }

  /** Calls the listener whenever a connection has come up: the time to subscribe, or to ask what was missed. */
  onUp(listener: () => void): void {
    this.client.on('ready', listener);
  }

  /** A second connection to the same Redis, not yet open, for its caller to close: a subscriber needs its own. */
  duplicate(): RedisConnection {
    return new RedisConnection(this.options);
  }

  /**
   * Ends at once, also when Redis is frozen; within a second when it is just being dialled and nobody picks up.
   * Commands in flight fail, nothing is left running. Final.
   */
  async close(): Promise<void> {
    this.closing.abort();
    if (!this.isDialing) await this.disconnect();
    await this.running;
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.closing.signal.aborted) {
      try {
        await this.connect();
        this.closing.signal.throwIfAborted();
        await this.whileAlive(() => {
          failures = 0;
          this.report(true);
        });
      } catch (error) {
        this.report(false, error);
      }
      await this.disconnect();
      await this.pause(backoffMs(failures));
      failures += 1;
    }
  }

  private async connect(): Promise<void> {
    // Dialling has a time limit of its own; the questions that the client asks before it is ready have none.
    let timer: NodeJS.Timeout | undefined;
    const pickedUp = (): void => {
      this.isDialing = false;
      timer = setTimeout(() => void this.disconnect(), this.closing.signal.aborted ? 0 : SILENCE_MS);
    };
    this.client.once('connect', pickedUp);
    this.isDialing = true;
    try {
      await this.client.connect();
    } finally {
      this.isDialing = false;
      clearTimeout(timer);
      this.client.off('connect', pickedUp);
    }
  }

  /** Ends, with an error, when the connection is lost. */
  private async whileAlive(onAnswer: () => void): Promise<never> {
    const lost = new Promise<never>((_, reject) => {
      this.onLost = reject;
    });
    for (;;) {
      await Promise.race([lost, within(SILENCE_MS, this.client.ping())]);
      onAnswer();
      await Promise.race([lost, this.pause(HEARTBEAT_MS)]);
    }
  }

  /** Unlike the client's own, not an error without a connection. */
  private async disconnect(): Promise<void> {
    if (this.client.isOpen) await this.client.disconnect();
  }

  /** Does not keep the process alive, and ends early on `close()`. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { ref: false, signal: this.closing.signal }).catch(() => undefined);
  }

  /** One line per change of state, not one per error. */
  private report(isAnswering: boolean, error?: unknown): void {
    if (this.isAnswering === isAnswering || this.closing.signal.aborted) return;
    this.isAnswering = isAnswering;
    if (isAnswering) this.logger.log(`Redis at ${this.address} answers`);
    else this.logger.warn(`Redis at ${this.address} does not answer; going on without it`, error);
  }
}

/** Doubles from 50 ms to 2 s, less up to a half at random: instances that lost the same Redis spread out. */
function backoffMs(failures: number): number {
  return Math.min(MAX_BACKOFF_MS, 50 * 2 ** failures) * (1 - Math.random() / 2);
}

import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { DomainError, Unavailable } from '../errors/errors.js';

/** Postgres does not answer, or not in time. What was being written is not acknowledged. */
export class DatabaseUnavailable extends Unavailable {
  override readonly code = 'database_unavailable';

  constructor(options?: ErrorOptions) {
    super('The database does not answer at the moment.', options);
  }
}

/** SQLSTATEs that say "not now": connection trouble, shutdown, no room, time-outs, lost races between transactions. */
const NOT_NOW = /^(08...|53...|57P0.|57014|55P03|25P0[23]|25006|40001|40P01|58030)$/;

/** Errors of the socket, which carry no SQLSTATE. */
const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** What node-postgres says without any code: the whole of it, for other messages may quote what somebody sent. */
const DRIVER = new Set([
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
]);

interface Fault {
  readonly cause?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly driverError?: unknown;
  readonly errors?: unknown;
  readonly constraint?: unknown;
}

const asFault = (error: unknown): Fault => (typeof error === 'object' && error !== null ? error : {});

/** True when the error says that the database cannot serve now, rather than that the statement is wrong. */
export function isDatabaseFault(error: unknown): boolean {
  // Our own failures say themselves what they are, and quote what callers sent.
  if (error instanceof DomainError) return error instanceof DatabaseUnavailable;
  // When a connection breaks between two statements of a transaction, TypeORM takes it away and then says one of these.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  const { code, syscall, message, driverError, errors, cause } = asFault(error);
  if (cause !== undefined && cause !== error && isDatabaseFault(cause)) return true;
  if (driverError !== undefined && driverError !== error && isDatabaseFault(driverError)) return true;
  if (Array.isArray(errors) && errors.some(isDatabaseFault)) return true;
  if (typeof code !== 'string') return typeof message === 'string' && DRIVER.has(message);
  // A Unix socket that is not there; any other file that is missing is no matter of the database.
  return NOT_NOW.test(code) || SOCKET.has(code) || (code === 'ENOENT' && syscall === 'connect');
}

/** What went wrong, in one line for people. Node says nothing at the top when several addresses of a host all fail. */
export function reasonOf(error: unknown): string {
  const { message, driverError, errors } = asFault(error);
  if (Array.isArray(errors) && errors.length > 0) return [...new Set(errors.map(reasonOf))].join('; ');
  if (driverError !== undefined && driverError !== error) return reasonOf(driverError);
  const text = typeof message === 'string' && message !== '' ? message : String(error);
  return text.split('\n', 1)[0] ?? text;
}

/** The name of the unique constraint that a write violated (SQLSTATE 23505), if it is that. */
export function violatedUnique(error: unknown): string | undefined {
  const fault = asFault(asFault(error).driverError ?? error);
  return fault.code === '23505' && typeof fault.constraint === 'string' ? fault.constraint : undefined;
}

import type { LoggerService } from '@nestjs/common';
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';

/** What must never stand in a log, wherever it turns up in what is logged. */
const REDACTED = [
  'password',
  'token',
  'access_token',
  'secret',
  'authorization',
  '*.password',
  '*.token',
  '*.access_token',
  '*.secret',
  '*.authorization',
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers["x-api-key"]',
];

/** One JSON line for each fact, to the standard output unless `destination` says otherwise. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
    errorKey: 'error',
    serializers: { error: describeError },
    redact: { paths: REDACTED, censor: '[redacted]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** An error's kind, message and stack, and those of its cause; not its fields, which may hold a query's values. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { stack } = stdSerializers.err(error);
  return { ...named(error), stack, ...(error.cause ? { cause: describeError(error.cause) } : {}) };
}

/** The same in few words, for what heals by itself: nobody goes looking for where it was thrown. */
export function describeBriefly(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return { ...named(error), ...(error.cause ? { cause: describeBriefly(error.cause) } : {}) };
}

function named(error: Error) {
  const { type, message } = stdSerializers.err(error);
  const { code } = error as { code?: unknown };
  return { type, message, ...(typeof code === 'string' ? { code } : {}) };
}

/** Parts of Nest that tell, line by line, what the code says anyway. */
const CHATTY = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/** Lets Nest and everything that uses its `Logger` write through pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(CHATTY.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes the name of the class last, and whatever else was given before it. */
  private write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = typeof rest.at(-1) === 'string' ? rest.at(-1) : undefined;
    const found = [message, ...rest].find((item) => item instanceof Error);
    const error = level === 'error' || level === 'fatal' ? found : describeBriefly(found);
    this.logger[level](
      { context, ...(error ? { error } : {}) },
      message instanceof Error ? message.message : String(message),
    );
  }
}

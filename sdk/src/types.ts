/** The words that every client of this package uses. Types only. */
import type { ErrorCode as CoreErrorCode, FlagTrace, JsonValue, Reason } from './core.js';

export type { FlagTrace, JsonValue, Reason } from './core.js';

/** As in OpenFeature. `PROVIDER_NOT_READY`: asked before anything was known. */
export type ErrorCode = CoreErrorCode | 'PROVIDER_NOT_READY';

/**
 * Who is asking: `targetingKey` is the unit (a user, a company, a device), which rollouts place and targets list; every other
 * property is an attribute that rules may ask for. Plain JSON data.
 */
export interface Context {
  readonly targetingKey?: string | number | undefined;
  readonly [attribute: string]: JsonValue | undefined;
}

/** What a context gets from one flag, and why. */
export interface EvaluationResult<T = JsonValue | undefined> {
  readonly flagKey: string;
  /** What the flag serves, or the caller's fallback where it serves nothing, or nothing of the fallback's type. */
  readonly value: T;
  /** The key of the variant that is served; `undefined` where the fallback is. */
  readonly variant: string | undefined;
  /** `ERROR` with an `errorCode` where the fallback is answered because something is wrong. */
  readonly reason: Reason;
  readonly errorCode: ErrorCode | undefined;
  /** For boolean flags the value itself; for others whether the flag is on, has an answer, and has the unit in its rollout. */
  readonly isEnabled: boolean;
  /** The version of the flag that decided. */
  readonly flagVersion: number | undefined;
  /** The environment's revision that decided. */
  readonly revision: number | undefined;
  /** Whether it is long since this client knew what the service has: the answer is by what was known last. */
  readonly stale: boolean;
  /** Only where it was asked for. */
  readonly explanation?: Explanation;
}

export interface Explanation {
  /** For people: `User bucket 53 is within 75% rollout`. */
  readonly sentence: string;
  /** Every step, in the order they were taken. */
  readonly trace: FlagTrace;
}

/** A literal becomes its type: whoever falls back to `true` may get `false`. */
export type Widened<T> = T extends boolean
  ? boolean
  : T extends string
    ? string
    : T extends number
      ? number
      : T;

/** Told what a person should know of; a `console` is one. Never told contexts or keys. */
export interface Logger {
  warn(message: string): void;
  error(message: string): void;
}

/** What this package needs of `fetch`; the global one, or one with an agent of its own. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** The `AbortSignal` of wherever this is compiled. */
type Signal = typeof globalThis extends { AbortSignal: { prototype: infer Known } } ? Known : unknown;

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: Signal;
  readonly redirect: 'error';
  readonly cache: 'no-store';
}

export interface FetchResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: FetchBody | null;
  text(): Promise<string>;
}

/** A `ReadableStream` is one. */
export interface FetchBody {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** What every client is told. */
export interface ClientOptions {
  /** Where the service is, with the base path it is under, if any: `https://flags.example.com/vexil`. */
  readonly baseUrl: string;
  /** An API key of the service. */
  readonly apiKey: string;
  /** The key of an environment. */
  readonly environment: string;
  /** How long one request may take, in milliseconds; 10,000 unless said otherwise. */
  readonly requestTimeoutMs?: number;
  /** The console's warnings and errors unless said otherwise. */
  readonly logger?: Logger;
  /** The global `fetch` unless said otherwise. */
  readonly fetch?: Fetch;
}

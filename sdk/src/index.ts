/** For programs that run on servers. */
export { ApiError, FlagNotFound, NetworkError, TimeoutError, ValidationError, VexilError } from './errors.js';
export type { ApiFailure, InvalidField } from './errors.js';
export type * from './types.js';
export { createServerClient, type ServerClient, type ServerClientEvents } from './server/client.js';
export type { EvaluateOptions } from './server/answers.js';
export type { ServerClientOptions } from './server/options.js';
export { createRemoteClient } from './remote/remote-client.js';
export type { RemoteClient, RemoteClientEvents, RemoteClientOptions } from './remote/remote-client.js';
export type { EditOptions, Flag, FlagChange, FlagFilter, NewFlag } from './remote/flag-management.js';
export type { CacheCounts } from './remote/answer-cache.js';
export { NO_SINK } from './exposures.js';
export type {
  Drop,
  DropReason,
  Exposure,
  ExposureCounts,
  ExposureOptions,
  ExposureSink,
  MetricEvent,
  TrackedEvent,
} from './exposures.js';
export type { ReadyOptions } from './ready-in-time.js';
export type { TrackDetails } from './unit.js';

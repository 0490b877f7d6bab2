/** For pages. */
export { ApiError, NetworkError, TimeoutError, ValidationError, VexilError } from '../errors.js';
export type { ApiFailure, InvalidField } from '../errors.js';
export { createBrowserClient } from './browser-client.js';
export type { BrowserClient, BrowserClientEvents, BrowserClientOptions } from './browser-client.js';
export type { KeyValueStorage } from './answer-storage.js';
export { NO_SINK } from '../exposures.js';
export type {
  Drop,
  DropReason,
  Exposure,
  ExposureCounts,
  ExposureOptions,
  ExposureSink,
  MetricEvent,
  TrackedEvent,
} from '../exposures.js';
export type { ReadyOptions } from '../ready-in-time.js';
export type { TrackDetails } from '../unit.js';
export type {
  Context,
  ErrorCode,
  EvaluationResult,
  Fetch,
  JsonValue,
  Logger,
  Reason,
  Widened,
} from '../types.js';

import { define, integer } from './setting.js';

/** How many follow the changes of an environment as they happen, and how patient the service is with them. */
export const STREAM_SETTINGS = {
  streamMax: define({
    name: 'STREAM_MAX',
    what: 'Streams of changes that one instance keeps open. Whoever comes then is answered 503 and comes again.',
    unit: 'streams',
    fallback: '5000',
    zero: 'none is opened',
    parse: integer(0, 100_000),
  }),
  streamMaxPerCaller: define({
    name: 'STREAM_MAX_PER_CALLER',
    what: 'How many of them one caller may have from one network.',
    unit: 'streams',
    fallback: '100',
    parse: integer(1, 100_000),
  }),
  streamMaxRulesetsSending: define({
    name: 'STREAM_MAX_RULESETS_SENDING',
    what: 'To how many new streams a whole ruleset is sent at a time. Whoever needs one beyond that is answered 503 and comes again.',
    unit: 'streams',
    fallback: '200',
    parse: integer(1, 100_000),
  }),
  streamHeartbeatSeconds: define({
    name: 'STREAM_HEARTBEAT_SECONDS',
    what: 'How long a stream is silent at the most. Less than the time after which any proxy between gives up.',
    unit: 'seconds',
    fallback: '15',
    parse: integer(1, 300),
  }),
  streamHistoryChanges: define({
    name: 'STREAM_HISTORY_CHANGES',
    what: 'Changes of each environment that are kept in memory for those who come again; others get the whole ruleset.',
    unit: 'changes',
    fallback: '1000',
    parse: integer(1, 100_000),
  }),
  streamHistoryBytes: define({
    name: 'STREAM_HISTORY_BYTES',
    what: 'How large these may be together. The last change is always kept.',
    unit: 'bytes',
    fallback: '8388608',
    parse: integer(1, 1_073_741_824),
  }),
  streamSlowReaderBytes: define({
    name: 'STREAM_SLOW_READER_BYTES',
    what: 'Changes that may wait for a client which does not read fast enough, before its stream is cut.',
    unit: 'bytes',
    fallback: '8388608',
    parse: integer(1, 1_073_741_824),
  }),
  streamStallSeconds: define({
    name: 'STREAM_STALL_SECONDS',
    what: 'How long a client may take nothing of what is being sent to it, before its stream is cut.',
    unit: 'seconds',
    fallback: '20',
    parse: integer(1, 300),
  }),
} as const;

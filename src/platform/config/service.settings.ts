import { define, folder, integer, oneOf } from './setting.js';

/** Where the process runs, and where it keeps its files. */
export const SERVICE_SETTINGS = {
  port: define({
    name: 'PORT',
    what: 'Port that the service listens on.',
    unit: 'TCP port',
    fallback: '8000',
    zero: 'any free port',
    parse: integer(0, 65_535),
  }),
  host: define({
    name: 'HOST',
    what: 'Address that the service listens on.',
    unit: 'IP address or host name',
    fallback: '0.0.0.0',
    parse: (text) => {
      if (text === '') throw new Error('must be an address');
      return text;
    },
  }),
  nodeEnv: define({
    name: 'NODE_ENV',
    what: 'What kind of place this is: `production` asks for a real secret and reads no `.env` file.',
    unit: 'development, production or test',
    fallback: 'development',
    parse: oneOf(['development', 'production', 'test']),
  }),
  logLevel: define({
    name: 'LOG_LEVEL',
    what: 'The least important log lines that are written.',
    unit: 'fatal, error, warn, info, debug, trace or silent',
    fallback: 'info',
    parse: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  }),
  dataDir: define({
    name: 'DATA_DIR',
    what: 'Folder for the embedded database, the last snapshots and the generated secret.',
    unit: 'path',
    fallback: '.data',
    parse: folder,
  }),
} as const;

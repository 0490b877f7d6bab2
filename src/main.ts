import { setFlagsFromString } from 'node:v8';
import { StopSignal } from './stop-signal.js';

// Garbage may be a tenth of what is in use before it is collected, not as much again: a snapshot is large, and stays for long (ADR 0032).
setFlagsFromString('--heap-growing-percent=10');
// V8 guesses which objects will live long by where they are made, and makes those of a request among the old ones: 12 MB a second at full
// load, to be collected once a second while everybody waits for tens of milliseconds (ADR 0032).
setFlagsFromString('--no-allocation-site-pretenuring');

// First of all: everything else takes a second to load, and the first process of a container misses a signal without this.
const stop = new StopSignal();

try {
  await import('reflect-metadata');
  const [{ loadConfig }, { readEnvironment }, { serve }] = await Promise.all([
    import('./platform/config/settings.js'),
    import('./platform/config/environment.js'),
    import('./serve.js'),
  ]);
  await serve(loadConfig(readEnvironment()), stop);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

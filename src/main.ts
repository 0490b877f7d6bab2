import { StopSignal } from './stop-signal.js';

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

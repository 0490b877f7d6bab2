// Decides in this process: no request for a decision, and the next one knows what somebody changed a moment ago.
import { createServerClient } from '@vexil/sdk';

const { VEXIL_URL = 'http://localhost:8000', VEXIL_API_KEY, VEXIL_ENVIRONMENT = 'development' } = process.env;
if (!VEXIL_API_KEY) {
  console.error('Set VEXIL_API_KEY to a server key; examples/README.md says how to make one.');
  process.exit(1);
}

const flags = createServerClient({
  baseUrl: VEXIL_URL,
  apiKey: VEXIL_API_KEY,
  environment: VEXIL_ENVIRONMENT,
});
await flags.ready();

const show = () => {
  for (const targetingKey of ['alice', 'bob', 'carol']) {
    const { value, variant, reason } = flags.evaluate('new-checkout', { targetingKey, plan: 'pro' }, false);
    console.log(`${targetingKey}: ${value} (${variant}, ${reason})`);
  }
};
show();

if (process.argv.includes('--once')) await flags.close();
else {
  console.log('Change the flag, and see. Ctrl-C ends.');
  flags.on('change', ({ revision, flagsChanged }) => {
    console.log(`\nRevision ${revision}: ${flagsChanged.join(', ')}`);
    show();
  });
  flags.on('stale', () => console.log('The service is away; the last rules stay.'));
  flags.on('ready', () => console.log('The service is back.'));
  process.once('SIGINT', () => flags.close().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
}

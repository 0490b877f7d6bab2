// The same through OpenFeature: nothing below the first lines knows whose flags they are.
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { VexilProvider } from '@vexil/sdk/openfeature-server';

const { VEXIL_URL = 'http://localhost:8000', VEXIL_API_KEY, VEXIL_ENVIRONMENT = 'development' } = process.env;
if (!VEXIL_API_KEY) {
  console.error('Set VEXIL_API_KEY to a server key; examples/README.md says how to make one.');
  process.exit(1);
}

const options = { baseUrl: VEXIL_URL, apiKey: VEXIL_API_KEY, environment: VEXIL_ENVIRONMENT };
await OpenFeature.setProviderAndWait(new VexilProvider(options));
const features = OpenFeature.getClient();

const show = async () => {
  for (const targetingKey of ['alice', 'bob', 'carol']) {
    const context = { targetingKey, plan: 'pro' };
    const { value, variant, reason } = await features.getBooleanDetails('new-checkout', false, context);
    console.log(`${targetingKey}: ${value} (${variant}, ${reason})`);
  }
};
await show();

if (process.argv.includes('--once')) await OpenFeature.close();
else {
  console.log('Change the flag, and see. Ctrl-C ends.');
  features.addHandler(ProviderEvents.ConfigurationChanged, ({ flagsChanged = [] } = {}) => {
    console.log(`\nChanged: ${flagsChanged.join(', ')}`);
    void show();
  });
  process.once('SIGINT', () => OpenFeature.close().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
}

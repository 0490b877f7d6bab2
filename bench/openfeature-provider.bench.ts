/**
 * Claim: OpenFeature's provider takes less than 1 µs beyond the client that it asks, on static, targeted and rollout flags with 1,000
 * flags loaded: the difference between the first two lines. The third is what OpenFeature's own SDK makes of the same provider.
 */
import { OpenFeature, type Client } from '@openfeature/server-sdk';
import { VexilProvider } from '../sdk/src/openfeature/server-provider.js';
import { createServerClient, type ServerClient } from '../sdk/src/index.js';
import { compare, printMachine, type Side } from './harness.js';
import { rulesetOfRow } from './snapshots.js';
import { askedKeys, FLAGS, people, ROWS, USERS, type Row } from './workloads.js';

/** A client of a service that is out of reach: it decides by what it was started with. */
const clientOf = (row: Row): ServerClient =>
  createServerClient({
    baseUrl: 'http://127.0.0.1:1',
    apiKey: 'bench',
    environment: 'production',
    bootstrap: rulesetOfRow(row),
    logger: { warn: () => undefined, error: () => undefined },
    fetch: () => Promise.reject(new Error('out of reach')),
  });

const contexts = people.map((person) => ({ ...person }));

const byProvider = (provider: VexilProvider): Side => ({
  name: 'Vexil provider',
  async run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      const context = contexts[at % USERS]!;
      if ((await provider.resolveBooleanEvaluation(askedKeys[at % FLAGS]!, false, context)).value) on += 1;
    }
    return on;
  },
});

const byClient = (client: ServerClient): Side => ({
  name: 'Vexil SDK evaluate',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (client.evaluate(askedKeys[at % FLAGS]!, contexts[at % USERS], false).value) on += 1;
    }
    return on;
  },
});

const byOpenFeature = (features: Client): Side => ({
  name: "OpenFeature's SDK with it",
  async run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (await features.getBooleanValue(askedKeys[at % FLAGS]!, false, contexts[at % USERS])) on += 1;
    }
    return on;
  },
});

printMachine();
for (const row of ROWS) {
  const client = clientOf(row);
  const provider = new VexilProvider(client);
  await OpenFeature.setProviderAndWait(row, provider);
  const features = OpenFeature.getClient(row);
  await compare({
    title: `${row}: a boolean flag through the provider`,
    subject: byProvider(provider),
    rivals: [byClient(client), byOpenFeature(features)],
    verify: async () => {
      const wrong: string[] = [];
      for (const [index, context] of contexts.entries()) {
        const key = askedKeys[index % FLAGS]!;
        const wanted = client.evaluate(key, context, false).value;
        const { value } = await provider.resolveBooleanEvaluation(key, false, context);
        const told = await features.getBooleanValue(key, false, context);
        if (value !== wanted || told !== wanted) wrong.push(`${row} ${key} ${context.targetingKey}`);
      }
      return wrong;
    },
  });
  await client.close();
}
process.exit();

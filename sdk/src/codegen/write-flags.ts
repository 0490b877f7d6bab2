/** Writes the file: types of flags and context, and an accessor for each flag. */
import type { FlagType, FlagTypes } from './flag-types.js';
import { ANY_JSON, propertyName, quoted } from './type-of.js';

/** Which client the accessors ask. */
export const CLIENTS = ['server', 'remote', 'browser'] as const;
export type ClientKind = (typeof CLIENTS)[number];

const CLIENT_TYPES: Readonly<Record<ClientKind, { readonly name: string; readonly from: string }>> = {
  server: { name: 'ServerClient', from: '@vexil/sdk' },
  remote: { name: 'RemoteClient', from: '@vexil/sdk' },
  browser: { name: 'BrowserClient', from: '@vexil/sdk/browser' },
};

/**
 * The same types give the same text, byte for byte. A change that concerns no type (a rollout, a rule about known attributes)
 * changes nothing.
 */
export function writeFlags(types: FlagTypes, client: ClientKind): string {
  const { name, from } = CLIENT_TYPES[client];
  const parts = [
    `// Written by vexil-codegen. Do not edit: run it again.
/* eslint-disable */
import type { ${name}, JsonValue } from ${quoted(from)};
`,
    contextType(types),
    flagMap(types),
    accessors(types, client),
  ];
  return parts.join('\n');
}

function contextType({ attributes }: FlagTypes): string {
  const fields = attributes.map(
    ({ name, type }) => `  readonly ${propertyName(name)}?: ${orUndefined(type)};\n`,
  );
  return `/** Who is asking, with the attributes that rules ask for. Others are welcome too. */
export interface FlagContext {
  /** The unit: a user, a company, a device. */
  readonly targetingKey?: string | number | undefined;
${fields.join('')}  readonly [attribute: string]: ${orUndefined(ANY_JSON)};
}
`;
}

const orUndefined = (type: string): string => `${type} | undefined`;

function flagMap({ flags }: FlagTypes): string {
  const fields = flags.map(({ key, type }) => `  readonly ${quoted(key)}: ${type};\n`);
  return `/** What each flag serves, by its key. */
export interface FlagValues {
${fields.join('')}}

export type FlagKey = keyof FlagValues;
`;
}

function accessors({ flags }: FlagTypes, client: ClientKind): string {
  const names = accessorNames(flags.map(({ key }) => key));
  const { name: clientType } = CLIENT_TYPES[client];
  const methods = flags.map((flag, index) => accessor(flag, names[index] ?? flag.key, client));
  return `/** An accessor for each flag. One that is gone is a mistake that the compiler finds. */
export function bindFlags(client: ${clientType}) {
  return {
${methods.join('')}  };
}

export type BoundFlags = ReturnType<typeof bindFlags>;
`;
}

function accessor({ key, valueType, type, variants }: FlagType, name: string, client: ClientKind): string {
  const value = `FlagValues[${quoted(key)}]`;
  const fallback = valueType === 'boolean' ? `fallback: ${value} = false` : `fallback: ${value}`;
  const given = client === 'browser' ? '' : 'context: FlagContext, ';
  const result = client === 'remote' ? `Promise<${value}>` : value;
  const passed = client === 'browser' ? '' : 'context, ';
  // Clients take a text for any text; here it is known which there are.
  const narrowed = valueType === 'string' && type !== 'string' ? ` as ${result}` : '';
  return `    /** ${commentText(`\`${key}\`: ${variants.join(', ')}`)} */
    ${propertyName(name)}: (${given}${fallback}): ${result} =>
      client.value<${value}>(${quoted(key)}, ${passed}fallback)${narrowed},
`;
}

const commentText = (text: string): string =>
  text.replaceAll('*/', '* /').replaceAll(/[\r\n\u2028\u2029]/g, ' ');

/** `new-checkout` is `newCheckout`; where two would be called the same, each keeps its key. */
function accessorNames(keys: readonly string[]): string[] {
  const wanted = keys.map((key) =>
    key.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, next?: string) => (next ?? '').toUpperCase()),
  );
  return keys.map((key, index) => {
    const name = wanted[index] ?? '';
    const isOwn = wanted.indexOf(name) === index && wanted.lastIndexOf(name) === index;
    const called = isOwn && !keys.some((other) => other !== key && other === name) ? name : key;
    // `await` would take the whole for a promise. No flag's key has a dollar sign.
    return called === 'then' ? '$then' : called;
  });
}

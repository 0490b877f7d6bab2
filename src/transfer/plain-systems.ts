import { z } from 'zod';
import { BUCKETS, type HashVersion } from '../core/index.js';
import {
  Conversion,
  keyFrom,
  nameIn,
  NotPortable,
  readDocument,
  titleOf,
  UnreadableDocument,
  type Note,
} from './conversion.js';
import { BOOLEAN_VARIANTS, rolloutOf, type Portable, type PortableFlag } from './portable.js';

/** What the five systems know of a flag: it is on, for everyone or for a part. */
interface PlainRow {
  /** As it was said: users are placed by it. */
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly isEnabled: boolean;
  /** Per cent of the users, or everyone, also who is not known. */
  readonly share: number | 'everyone';
  /** The system's own word for it. */
  readonly environment: string | undefined;
}

interface PlainSystem {
  readonly hashVersion: HashVersion;
  /** The names of the field that holds the key, for messages. */
  readonly keyFields: readonly string[];
  readonly row: z.ZodType<PlainRow>;
  /** The word of ours for an environment of theirs. */
  readonly environments: ReadonlyMap<string, string>;
}

const key = z.string().min(1).max(255);
const percent = z.number().min(0).max(100);
const description = z
  .string()
  .nullish()
  .transform((text) => text ?? null);
/** A hundred per cent is everybody, where a system means it so. */
const everyoneAtAll = (share: number): PlainRow['share'] => (share === 100 ? 'everyone' : share);

const dashboard = z
  .object({ key, name: z.string(), description, enabled: z.boolean(), rollout_percentage: percent })
  .transform(({ enabled, rollout_percentage, ...rest }) => ({
    ...rest,
    isEnabled: enabled,
    share: everyoneAtAll(rollout_percentage),
    environment: undefined,
  }));

const mvp = z
  .object({ flag_name: key, description, status: z.boolean(), rollout_percentage: percent.nullish() })
  .transform(({ flag_name, description: text, status, rollout_percentage }) => ({
    key: flag_name,
    name: flag_name,
    description: text,
    isEnabled: status,
    share: rollout_percentage ?? ('everyone' as const),
    environment: undefined,
  }));

const platform = z
  .object({
    key,
    name: z.string(),
    description,
    flag_type: z.enum(['boolean', 'percentage']),
    is_enabled: z.boolean(),
    rollout_percentage: percent,
    environment_id: z.string().optional(),
  })
  .transform(({ flag_type, is_enabled, rollout_percentage, environment_id, ...rest }) => ({
    ...rest,
    isEnabled: is_enabled,
    share: flag_type === 'boolean' ? ('everyone' as const) : rollout_percentage,
    environment: environment_id,
  }));

const evaluation = z
  .object({
    flag_id: key,
    name: z.string(),
    description,
    enabled: z.boolean(),
    rollout_percentage: percent,
    environment: z.string().optional(),
  })
  .transform(({ flag_id, enabled, rollout_percentage, ...rest }) => ({
    name: rest.name,
    description: rest.description,
    environment: rest.environment,
    key: flag_id,
    isEnabled: enabled,
    share: everyoneAtAll(rollout_percentage),
  }));

const edge = z
  .object({ name: key, enabled: z.boolean(), rollout_percentage: percent, description })
  .transform(({ name, enabled, rollout_percentage, description: text }) => ({
    key: name,
    name,
    description: text,
    isEnabled: enabled,
    share: everyoneAtAll(rollout_percentage),
    environment: undefined,
  }));

const NO_WORDS: ReadonlyMap<string, string> = new Map();

/** The systems whose flags are on, off, or on for a part, by the names of their dialects. */
export const PLAIN_SYSTEMS = {
  dashboard: { hashVersion: 'sha256', keyFields: ['key'], row: dashboard, environments: NO_WORDS },
  mvp: { hashVersion: 'sha256-user-first', keyFields: ['flag_name'], row: mvp, environments: NO_WORDS },
  platform: { hashVersion: 'md5-8', keyFields: ['key'], row: platform, environments: NO_WORDS },
  evaluation: {
    hashVersion: 'murmur3',
    keyFields: ['flag_id'],
    row: evaluation,
    environments: new Map([
      ['prod', 'production'],
      ['dev', 'development'],
      ['stage', 'staging'],
    ]),
  },
  edge: { hashVersion: 'md5', keyFields: ['name'], row: edge, environments: NO_WORDS },
} as const satisfies Record<string, PlainSystem>;
export type PlainSystemName = keyof typeof PLAIN_SYSTEMS;

const rows = z.array(z.unknown()).max(100_000);
const listed = z.preprocess(
  (document) => (Array.isArray(document) ? { flags: document as unknown[] } : document),
  z.object({
    flags: rows,
    environments: z.array(z.object({ id: z.string(), key: z.string() })).default([]),
  }),
);

/**
 * Reads what such a system answers when it is asked for all of its flags: a list, or an object with the list as `flags`. For `platform`
 * the object may also have its `environments`. Users stay where they are: each flag keeps its system's hash and its name as the salt.
 * @throws UnreadableDocument
 */
export function fromPlainSystem(system: PlainSystemName, document: unknown): Portable {
  const { flags, environments } = readDocument(listed, document, `a list of flags of '${system}'`);
  const keys = new Map(environments.map(({ id, key: environmentKey }) => [id, environmentKey]));
  const { hashVersion, keyFields, row, environments: words }: PlainSystem = PLAIN_SYSTEMS[system];
  if (system === 'platform' && keys.size === 0) requireOneEnvironment(flags);
  const conversion = new Conversion();
  for (const [index, item] of flags.entries()) {
    conversion.flag(nameIn(item, keyFields, index), (note) => {
      const plain = row.parse(item);
      const said = plain.environment;
      const environmentKey =
        said === undefined
          ? undefined
          : (keys.get(said) ?? words.get(said) ?? (system === 'platform' ? undefined : said));
      if (keys.size > 0 && said !== undefined && !keys.has(said))
        throw new NotPortable(`is in an environment ('${said}') that the document does not name`);
      return flagOf(plain, hashVersion, environmentKey, note);
    });
  }
  return conversion;
}

/** Ids say nothing here: without their keys nobody knows which is production. */
function requireOneEnvironment(flags: readonly unknown[]): void {
  const named = z.object({ environment_id: z.string() });
  const ids = new Set(flags.map((item) => named.safeParse(item).data?.environment_id));
  if (ids.size > 1)
    throw new UnreadableDocument(
      'This has flags of several environments without their keys: take one environment at a time, or write {"flags": […], "environments": […]}.',
    );
}

function flagOf(
  plain: PlainRow,
  hashVersion: HashVersion,
  environmentKey: string | undefined,
  note: Note,
): PortableFlag {
  const ourKey = keyFrom(plain.key, note);
  const placing = { hashVersion, salt: plain.key };
  const coverage = plain.share === 'everyone' ? undefined : Math.round(plain.share * 100);
  if (coverage !== undefined && coverage / 100 !== plain.share)
    note(`is at ${coverage / 100} % here, not ${plain.share} %: percentages have steps of 0.01`);
  return {
    key: ourKey,
    name: titleOf(plain.name.trim() || ourKey),
    description: plain.description,
    environmentKey,
    valueType: 'boolean',
    variants: BOOLEAN_VARIANTS,
    isEnabled: plain.isEnabled,
    offVariant: 'off',
    prerequisites: [],
    targets: [],
    rules: [],
    defaultServe:
      coverage === undefined
        ? { variant: 'on' }
        : rolloutOf(placing, coverage, [{ variant: 'on', basisPoints: BUCKETS }]),
    placing,
  };
}

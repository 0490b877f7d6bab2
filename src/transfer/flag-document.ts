import { z } from 'zod';
import {
  HASH_VERSIONS,
  parseSnapshot,
  serializePrerequisite,
  serializeRule,
  serializeSegment,
  serializeServe,
  serializeTarget,
  SPEC_VERSION,
  type Flag,
  type JsonValue,
  type Segment,
  type Unreadable,
} from '../core/index.js';
import { Conversion, nameIn, NotPortable, readDocument } from './conversion.js';
import type { Portable, PortableFlag, PortableSegment } from './portable.js';

/** Counts the shapes of the document; a reader refuses those it does not know. */
const FORMAT = 1;

/** The flags and segments of one environment as Vexil's own JSON: what `fromVexil` reads. */
export interface VexilDocument {
  readonly vexil: typeof FORMAT;
  readonly environment_key: string;
  readonly segments: readonly JsonValue[];
  readonly flags: readonly JsonValue[];
}

/** @param portable of one environment */
export function toVexil(
  portable: Pick<Portable, 'flags' | 'segments'>,
  environmentKey: string,
): VexilDocument {
  return {
    vexil: FORMAT,
    environment_key: environmentKey,
    segments: portable.segments.map(segmentDocument),
    flags: portable.flags.map(flagDocument),
  };
}

/** Everything that is said of a segment. */
export function segmentDocument({
  name,
  description,
  ...segment
}: PortableSegment): Record<string, JsonValue> {
  return { key: segment.key, name, description, ...(serializeSegment(segment) as Record<string, JsonValue>) };
}

/** Everything that is said of a flag; what is not said is left out. */
export function flagDocument(flag: PortableFlag): Record<string, JsonValue> {
  const { tags, owner, clientVisible, placing } = flag;
  return {
    key: flag.key,
    name: flag.name,
    description: flag.description,
    value_type: flag.valueType,
    variants: flag.variants.map(({ key, value }) => ({ key, value })),
    ...(tags === undefined ? {} : { tags }),
    ...(owner === undefined ? {} : { owner }),
    ...(clientVisible === undefined ? {} : { client_visible: clientVisible }),
    is_enabled: flag.isEnabled,
    off_variant: flag.offVariant,
    prerequisites: flag.prerequisites.map(serializePrerequisite),
    targets: flag.targets.map(serializeTarget),
    rules: flag.rules.map(serializeRule),
    default_serve: serializeServe(flag.defaultServe),
    ...(placing === undefined ? {} : { placing: { hash_version: placing.hashVersion, salt: placing.salt } }),
  };
}

const exported = z.object({
  vexil: z.literal(FORMAT),
  environment_key: z.string().min(1).optional(),
  segments: z.array(z.unknown()).max(100_000).default([]),
  flags: z.array(z.unknown()).max(100_000),
});

const described = { name: z.string().optional(), description: z.string().nullable().default(null) };
const segmentDescription = z.object({ key: z.string(), ...described });
const flagDescription = z.object({
  key: z.string(),
  ...described,
  tags: z.array(z.string()).optional(),
  owner: z.string().nullable().optional(),
  client_visible: z.boolean().optional(),
  placing: z.object({ hash_version: z.enum(HASH_VERSIONS), salt: z.string() }).optional(),
});
const defaults = { prerequisites: [], targets: [], rules: [] };

/** Reads Vexil's own JSON. @throws UnreadableDocument */
export function fromVexil(document: unknown): Portable {
  const {
    environment_key: environmentKey,
    segments,
    flags,
  } = readDocument(exported, document, 'an export of Vexil');
  const conversion = new Conversion();
  for (const [index, item] of segments.entries()) {
    conversion.segment(nameIn(item, ['key'], index), () => {
      const { key, name = key, description } = segmentDescription.parse(item);
      return { ...readable(snapshotOf([], [item]).segments[0]), name, description, environmentKey };
    });
  }
  for (const [index, item] of flags.entries()) {
    conversion.flag(nameIn(item, ['key'], index), () => {
      const {
        key,
        name = key,
        client_visible: clientVisible,
        placing,
        ...rest
      } = flagDescription.parse(item);
      const whole = { ...defaults, ...(item as object), is_archived: false, version: 1 };
      const flag = readable(snapshotOf([whole], []).flags[0]);
      return {
        ...rest,
        ...evaluative(flag),
        name,
        environmentKey,
        clientVisible,
        placing: placing && { hashVersion: placing.hash_version, salt: placing.salt },
      };
    });
  }
  return conversion;
}

/** What decides who gets what. */
export const evaluative = ({
  isArchived: _archived,
  version: _version,
  clientVisible: _clientVisible,
  ...rest
}: Flag): Omit<Flag, 'isArchived' | 'version' | 'clientVisible'> => rest;

function snapshotOf(flags: readonly unknown[], segments: readonly unknown[]) {
  const ruleset = { spec_version: SPEC_VERSION, environment_key: 'import', revision: 0, flags, segments };
  const result = parseSnapshot(ruleset);
  if (!result.ok) throw new NotPortable('is no plain JSON');
  return result.snapshot;
}

/** @throws NotPortable for what cannot be read */
export function readable<Thing extends Flag | Segment>(thing: Thing | Unreadable | undefined): Thing {
  if (thing === undefined) throw new NotPortable('has no key');
  if (!('document' in thing)) return thing;
  throw new NotPortable(thing.flaws.map(({ path, message }) => `${path} ${message}`).join('; '));
}

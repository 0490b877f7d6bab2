import { Injectable } from '@nestjs/common';
import { parseSnapshot, type Flag, type Segment, type Unreadable } from '../core/index.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { documentOf, FlagSnapshotReader } from '../flags/flag-snapshot.reader.js';
import { FlagsReader } from '../flags/flags.reader.js';
import { SegmentsReader } from '../segments/segments.reader.js';
import { Conversion, NotPortable, UnreadableDocument } from './conversion.js';
import { evaluative, readable } from './flag-document.js';
import type { Portable } from './portable.js';

const ALL = { skip: 0, limit: 1_000_000 };

/** Answers: everything that is to be said of the flags and segments of an environment. Archived flags are left out, and named. */
@Injectable()
export class ExportReader {
  constructor(
    private readonly snapshots: FlagSnapshotReader,
    private readonly flags: FlagsReader,
    private readonly segments: SegmentsReader,
  ) {}

  /** @throws EnvironmentNotFound */
  async read(environmentKey: string): Promise<Portable> {
    const parts = await this.snapshots.read(environmentKey);
    if (!parts) throw new EnvironmentNotFound(environmentKey);
    const result = parseSnapshot(documentOf(parts).ruleset);
    if (!result.ok) throw new UnreadableDocument(`The flags of '${environmentKey}' cannot be read.`);
    const conversion = new Conversion();

    const { segments } = await this.segments.list({ environmentKey, ...ALL });
    const segmentOf = byKey<Segment>(result.snapshot.segments);
    for (const { key, name, description } of segments)
      conversion.segment(key, () => ({ ...readable(segmentOf.get(key)), name, description, environmentKey }));

    const { flags } = await this.flags.list({ environmentKey, ...ALL });
    const flagOf = byKey<Flag>(result.snapshot.flags);
    for (const {
      key,
      name,
      description,
      tags,
      owner,
      archivedAt,
      clientVisible,
      defaultServe,
      lastRollout,
    } of flags)
      conversion.flag(key, () => {
        if (archivedAt) throw new NotPortable('is archived');
        const isPlaced = lastRollout && 'variant' in defaultServe;
        const placing = isPlaced && { hashVersion: lastRollout.hashVersion, salt: lastRollout.salt };
        return {
          ...evaluative(readable(flagOf.get(key))),
          name,
          description,
          environmentKey,
          tags,
          owner,
          clientVisible,
          placing: placing || undefined,
        };
      });
    return conversion;
  }
}

const byKey = <Thing extends { readonly key: string }>(things: readonly (Thing | Unreadable)[]) =>
  new Map(things.map((thing) => [thing.key, thing]));

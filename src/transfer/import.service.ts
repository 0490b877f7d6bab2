import { Inject, Injectable } from '@nestjs/common';
import { checkFlag, checkRules, checkSegment, under } from '../core/index.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { EnvironmentsService } from '../environments/environments.service.js';
import { FlagsReader } from '../flags/flags.reader.js';
import { FlagsService } from '../flags/flags.service.js';
import type { Actor } from '../platform/access/actor.js';
import { DomainError, Invalid, type InputProblem } from '../platform/errors/errors.js';
import { PATTERN_ENGINE, type LinearPatterns } from '../platform/patterns/pattern-engine.js';
import { MAX_KEYS } from '../segments/segment.js';
import { SegmentsReader } from '../segments/segments.reader.js';
import { SegmentsService } from '../segments/segments.service.js';
import { differencesOf } from './difference.js';
import { changedView, newView, newFlagOf, updateOf, viewDocument } from './flag-input.js';
import { segmentDocument } from './flag-document.js';
import { flagProblems, segmentProblems } from './limits.js';
import { ImportRun, type Outcome, type Placed } from './import-run.js';
import type { Portable, PortableFlag, PortableSegment, Remark } from './portable.js';

export interface ImportOptions {
  /** Where everything goes that does not say where it belongs. */
  readonly environmentKey: string;
  readonly isDryRun: boolean;
  /** Kept in the audit log with each change. */
  readonly reason: string;
}

const ALL = { skip: 0, limit: 1_000_000 };

/**
 * Brings flags and segments of a document into environments, by the services that everybody changes them with. Each is changed as a whole or not
 * at all, in the order in which they need each other, and one that is as it should be is left alone.
 */
@Injectable()
export class ImportService {
  constructor(
    private readonly flags: FlagsService,
    private readonly flagsReader: FlagsReader,
    private readonly segments: SegmentsService,
    private readonly segmentsReader: SegmentsReader,
    private readonly environments: EnvironmentsService,
    @Inject(PATTERN_ENGINE) private readonly patterns: LinearPatterns,
  ) {}

  /** @throws EnvironmentNotFound */
  async run(
    actor: Actor,
    document: Portable,
    options: ImportOptions,
  ): Promise<{ outcomes: Outcome[]; notes: Remark[] }> {
    const run = new ImportRun(document, options.environmentKey);
    for (const environmentKey of run.environmentKeys) {
      const { id } = await this.environments.find(environmentKey);
      run.segmentsIn.set(environmentKey, [...(await this.segmentsReader.outlines(id))]);
    }
    for (const flag of (await this.flagsReader.list({ isArchived: undefined, ...ALL })).flags) run.know(flag);
    for (const segment of run.segments)
      await this.one(run, 'segment', segment, () => this.segment(actor, run, segment, options));
    for (const flag of run.flags)
      await this.one(run, 'flag', flag, () => this.flag(actor, run, flag, options));
    return { outcomes: run.outcomes, notes: run.notes };
  }

  private async one(
    run: ImportRun,
    kind: Outcome['kind'],
    { key, environmentKey }: Placed,
    work: () => Promise<Pick<Outcome, 'became' | 'differences'>>,
  ): Promise<void> {
    const tell = (outcome: Omit<Outcome, 'kind' | 'key' | 'environmentKey'>): void => {
      run.outcomes.push({ kind, key, environmentKey, ...outcome });
    };
    try {
      tell({ ...(await work()), reasons: [] });
    } catch (error) {
      if (!(error instanceof DomainError) || error instanceof EnvironmentNotFound) throw error;
      tell({ became: 'refused', differences: [], reasons: reasonsOf(error) });
    }
  }

  private async segment(
    actor: Actor,
    run: ImportRun,
    segment: PortableSegment & Placed,
    { isDryRun, reason }: ImportOptions,
  ): Promise<Pick<Outcome, 'became' | 'differences'>> {
    run.requireOnlyOne('segment', segment);
    const { key, environmentKey, name, description, conditions } = segment;
    const others = (run.segmentsIn.get(environmentKey) ?? []).filter((other) => other.key !== key);
    const lists = { included: sorted(segment.included), excluded: sorted(segment.excluded) };
    const wanted = { ...segment, ...lists };
    refuse([...segmentProblems(segment), ...checkSegment(segment, { patterns: this.patterns }, others)]);
    const isThere = (run.segmentsIn.get(environmentKey) ?? []).length > others.length;
    if (!isThere) {
      if (!isDryRun)
        await this.segments.create(actor, {
          key,
          name,
          description,
          conditions,
          ...lists,
          environmentKey,
          reason,
        });
      run.segmentsIn.get(environmentKey)?.push(segment);
      return { became: 'created', differences: differencesOf({}, segmentDocument(wanted)) };
    }
    const address = { key, environmentKey };
    const before = await this.segmentsReader.find(address);
    const listed = async (list: 'included' | 'excluded'): Promise<string[]> =>
      (await this.segmentsReader.keys(address, { list, skip: 0, limit: MAX_KEYS })).keys;
    const whole = { ...before, included: await listed('included'), excluded: await listed('excluded') };
    const differences = differencesOf(segmentDocument(whole), segmentDocument(wanted));
    if (differences.length === 0) return { became: 'same', differences };
    if (!isDryRun)
      await this.segments.update(actor, address, { name, description, conditions, ...lists, reason }, [
        before.version,
      ]);
    return { became: 'changed', differences };
  }

  private async flag(
    actor: Actor,
    run: ImportRun,
    given: PortableFlag & Placed,
    { isDryRun, reason }: ImportOptions,
  ): Promise<Pick<Outcome, 'became' | 'differences'>> {
    run.requireOnlyOne('flag', given);
    refuse(flagProblems(given));
    const flag = run.defined(given);
    const { key, environmentKey } = flag;
    const segmentKeys = new Set((run.segmentsIn.get(environmentKey) ?? []).map((segment) => segment.key));
    refuse([
      ...checkFlag({ ...flag, isArchived: false, version: 1, clientVisible: false }),
      ...under(
        'rules',
        checkRules(flag.rules, flag.variants, { patterns: this.patterns, segments: segmentKeys }),
      ),
      ...run.prerequisiteProblems(flag),
    ]);
    const isThere = run.isIn(key, environmentKey);
    if (!isThere) {
      const view = newView(flag);
      refuse(view.problems);
      if (!isDryRun) await this.flags.create(actor, { ...newFlagOf(flag), reason });
      run.made(flag);
      return { became: 'created', differences: differencesOf({}, viewDocument(view.value)) };
    }
    const before = await this.flagsReader.find({ key, environmentKey });
    if (before.valueType !== flag.valueType)
      throw new Invalid([{ path: 'value_type', message: `is ${before.valueType} here, and never changes` }]);
    const after = changedView(before, flag);
    refuse(after.problems);
    const differences = differencesOf(viewDocument(before), viewDocument(after.value));
    if (differences.length === 0) return { became: 'same', differences };
    if (!isDryRun)
      await this.flags.update(actor, { key, environmentKey }, { ...updateOf(flag), reason }, [
        before.version,
      ]);
    return { became: 'changed', differences };
  }
}

const sorted = (keys: readonly string[]): string[] => [...new Set(keys)].sort();

function refuse(problems: readonly InputProblem[]): void {
  if (problems.length > 0) throw new Invalid(problems);
}

const reasonsOf = (error: DomainError): string[] =>
  error instanceof Invalid && error.problems.length > 0
    ? error.problems.slice(0, 5).map(({ path, message }) => `${path} ${message}`)
    : [error.message];

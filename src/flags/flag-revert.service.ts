import { Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { ChangeNotRevertible } from '../audit/audit.errors.js';
import type { JsonObject } from '../audit/audit-entry.js';
import { isListDigest, keysBefore, revertibleChange } from '../audit/reversion.js';
import { parsePrerequisites, parseRules, parseServe, type Serve } from '../core/index.js';
import type { Actor } from '../platform/access/actor.js';
import { describeFlag } from './flag-description.js';
import type { FlagAddress, FlagView } from './flag.js';
import type { ServeInput } from './flag-serve.js';
import type { TargetInput } from './flag-targeting.js';
import { FlagsReader } from './flags.reader.js';
import { FlagsService, type FlagUpdate } from './flags.service.js';

/** Which change to take back, and why. */
export interface Reversion extends Pick<FlagUpdate, 'reason' | 'confirm'> {
  /** Of its audit entry. */
  readonly position: number;
}

/** Takes a change of a flag back by making another one: what it changed becomes what it was, and nothing else moves. */
@Injectable()
export class FlagRevertService {
  constructor(
    private readonly flags: FlagsService,
    private readonly reader: FlagsReader,
    private readonly audit: AuditService,
  ) {}

  /** @throws ChangeNotRevertible, ChangedSince, and what `FlagsService.update` throws */
  async revert(
    actor: Actor,
    address: FlagAddress,
    { position, reason, confirm }: Reversion,
    ifMatch?: readonly number[],
  ): Promise<FlagView> {
    const flag = await this.reader.find(address);
    const [entry] = await this.audit.after(position - 1, 1);
    const subject = { type: 'flag' as const, ...address };
    const { fields, before, after } = revertibleChange(entry, position, subject, describeFlag(flag));
    const input = inputFrom(fields, before, after);
    // What was looked at is what is written to, also where the editor did not say which version that is.
    return this.flags.update(
      actor,
      address,
      { ...input, reason, otherwiseReason: `Reverts change ${position}`, confirm },
      ifMatch ?? [flag.version],
    );
  }
}

/** The fields of an update that make the changed fields what they were. */
function inputFrom(fields: readonly string[], before: JsonObject, after: JsonObject): FlagUpdate {
  const serveFields = ['flag_type', 'rollout_percentage', 'default_serve', 'salt', 'hash_version'];
  const inputs = fields.flatMap((field): FlagUpdate[] => {
    const old = before[field];
    switch (field) {
      case 'name':
        return [{ name: old as string }];
      case 'description':
        return [{ description: old as string | null }];
      case 'tags':
        return [{ tags: old as string[] }];
      case 'owner':
        return [{ owner: old as string | null }];
      case 'variants':
        return [{ variants: old as NonNullable<FlagUpdate['variants']> }];
      case 'archived':
        return [{ archived: old as boolean }];
      case 'client_visible':
        return [{ clientVisible: old as boolean }];
      case 'is_enabled':
        return [{ isEnabled: old as boolean }];
      case 'off_variant':
        return [{ offVariant: old as string | null }];
      case 'prerequisites':
        return [{ prerequisites: parsed(parsePrerequisites(old)).prerequisites }];
      case 'rules':
        return [
          {
            rules: parsed(parseRules(old)).rules.map(({ id, name, conditions, serve }) => ({
              id,
              name,
              conditions,
              serve: inputOf(serve),
            })),
          },
        ];
      case 'targets':
        return [{ targets: targetsFrom(before, after) }];
      default:
        return [];
    }
  });
  const isServed = fields.some((field) => serveFields.includes(field));
  return Object.assign({}, ...inputs, isServed ? serveFrom(before) : {}) as FlagUpdate;
}

function serveFrom(before: JsonObject): FlagUpdate {
  const { flag_type: type, rollout_percentage: percentage, default_serve: serve, salt } = before;
  if (type === 'boolean') return { flagType: 'boolean' };
  if (type === 'percentage')
    return {
      defaultServe: {
        rollout: {
          coverage: Math.round(Number(percentage) * 100),
          ...(typeof salt === 'string' ? { salt } : {}),
        },
      },
    };
  return { defaultServe: inputOf(parsed(parseServe(serve)).serve) };
}

function inputOf(serve: Serve): ServeInput {
  if ('variant' in serve) return serve;
  const { bucketBy, salt, hashVersion, coverage, ranges } = serve.rollout;
  const sizes = new Map<string, number>();
  for (const { variant, from, to } of ranges) sizes.set(variant, (sizes.get(variant) ?? 0) + to - from);
  const weights = [...sizes].map(([variant, basisPoints]) => ({ variant, basisPoints }));
  return { rollout: { bucketBy, salt, hashVersion, coverage, weights, allocation: ranges } };
}

type Told = Readonly<Record<string, unknown>>;

/** Short lists are told as they were; of long ones what was added and removed, while that was little. */
function targetsFrom(before: JsonObject, after: JsonObject): readonly TargetInput[] {
  const [old, now] = [before['targets'] as Told, after['targets'] as Told];
  const variants = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const isWhole = variants.every((variant) => Array.isArray(old[variant] ?? []));
  return variants.flatMap((variant): TargetInput[] => {
    if (isWhole) return [{ variant, keys: (old[variant] ?? []) as string[] }];
    if (!isListDigest(now[variant])) return [];
    return [{ variant, ...keysBefore(`listed for '${variant}'`, undefined, now[variant]) }];
  });
}

function parsed<T extends { readonly ok: boolean }>(result: T): Extract<T, { readonly ok: true }> {
  if (!result.ok)
    throw new ChangeNotRevertible(undefined, 'another version wrote it, and this one cannot read it');
  return result as Extract<T, { readonly ok: true }>;
}

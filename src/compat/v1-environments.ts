import { Injectable } from '@nestjs/common';
import { SnapshotStore } from '../evaluation/snapshot-store.js';
import type { KeyScope } from '../platform/access/key-scope.js';

/** What it calls the environments that every installation begins with. */
const NATIVE: ReadonlyMap<string, string> = new Map([
  ['prod', 'production'],
  ['dev', 'development'],
  ['stage', 'staging'],
]);
const OURS: ReadonlyMap<string, string> = new Map([
  ['production', 'prod'],
  ['development', 'dev'],
]);
const DEFAULT = 'prod';

/** How the system with environments of its own calls ours. Reads memory only. */
@Injectable()
export class V1Environments {
  constructor(private readonly snapshots: SnapshotStore) {}

  /** The key of an environment: the name itself where there is one of that key. */
  keyOf(name: string): string {
    return this.isHere(name) ? name : (NATIVE.get(name) ?? name);
  }

  isHere(key: string): boolean {
    return this.snapshots.get(key) !== undefined;
  }

  /** As it is called in an answer, where the request has not said how. */
  nameOf(key: string): string {
    const name = OURS.get(key);
    return name === undefined || this.isHere(name) ? key : name;
  }

  /** Which one is asked: the one that is named, that of the key, or the one for production. */
  asked(name: string | undefined, scope: KeyScope | undefined): string {
    return name === undefined ? (scope?.environmentKey ?? this.keyOf(DEFAULT)) : this.keyOf(name);
  }

  /**
   * Where a flag is that is spoken of without its environment: there the system has it once only. The one that would be asked
   * comes first.
   */
  whereIs(flagKey: string, scope: KeyScope | undefined): string {
    const usual = this.asked(undefined, scope);
    const candidates =
      scope?.environmentKey === undefined ? [usual, ...this.snapshots.all().keys()] : [usual];
    return candidates.find((key) => this.hasIt(key, flagKey)) ?? usual;
  }

  /** Whether a flag is in more than one. */
  areSeveral(flagKey: string): boolean {
    return [...this.snapshots.all().keys()].filter((key) => this.hasIt(key, flagKey)).length > 1;
  }

  private hasIt(key: string, flagKey: string): boolean {
    return this.snapshots.get(key)?.compiled.flags.has(flagKey) === true;
  }
}

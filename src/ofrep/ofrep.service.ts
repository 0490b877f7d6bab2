import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { evaluate, evaluateAll, flagNotFound, type Context, type Decision } from '../core/index.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { NotReady } from '../evaluation/evaluation.errors.js';
import { EvaluationMetrics } from '../evaluation/evaluation.metrics.js';
import { SnapshotStore, type HeldSnapshot } from '../evaluation/snapshot-store.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { FeedsService } from '../stream/feeds.service.js';
import { FlagTexts } from './ofrep-text.js';
import { StreamAddresses } from './stream-addresses.js';

/** An answer as it goes over the wire, whatever carries it there. */
export interface OfrepAnswer {
  readonly status: 200 | 304 | 400 | 404;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; empty with 304. */
  readonly body: string;
}

/** Seconds after which a page that nobody looks at lets go of its stream. */
const INACTIVITY_SECONDS = 120;
const JSON_TYPE = 'application/json; charset=utf-8';
const ONE_HEADERS = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' };

/** Answers what a user gets, in the words of OFREP, from memory. The key that asks says in which environment. */
@Injectable()
export class OfrepService {
  private readonly texts = new FlagTexts();

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly feeds: FeedsService,
    private readonly metrics: EvaluationMetrics,
    private readonly addresses: StreamAddresses,
  ) {}

  /** @throws NotReady, EnvironmentNotFound */
  evaluate(flagKey: string, context: Context, scope: KeyScope): OfrepAnswer {
    const { compiled } = this.held(scope);
    // For a client key what is not visible to clients does not exist: neither is looked up.
    const isHidden = scope.clientOnly && !compiled.clientVisible.has(flagKey);
    const decision = isHidden ? flagNotFound(flagKey) : evaluate(compiled, flagKey, context, Date.now());
    this.count(scope, decision);
    const { status, json } = this.texts.of(compiled, decision);
    return { status, headers: ONE_HEADERS, body: json };
  }

  /**
   * All flags that the key may know of.
   * @param knownTags the `If-None-Match` header
   * @throws NotReady, EnvironmentNotFound
   */
  evaluateAll(context: Context, scope: KeyScope, knownTags: string | undefined): OfrepAnswer {
    const { compiled } = this.held(scope);
    const since = this.feeds.idOf(compiled.environmentKey);
    const only = scope.clientOnly ? compiled.clientVisible : undefined;
    let flags = '';
    for (const decision of evaluateAll(compiled, context, Date.now(), only)) {
      this.count(scope, decision);
      const { json } = this.texts.of(compiled, decision);
      flags = flags === '' ? json : `${flags},${json}`;
    }
    const token = this.addresses.tokenFor(scope.keyId);
    const tag = tagOf(flags, token);
    const headers = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'private, no-cache', ETag: tag };
    if (knows(knownTags, tag)) return { status: 304, headers, body: '' };
    const stream = {
      type: 'sse',
      endpoint: { requestUri: this.addresses.uriOf(token, since) },
      inactivityDelaySec: INACTIVITY_SECONDS,
    };
    return { status: 200, headers, body: `{"flags":[${flags}],"eventStreams":[${JSON.stringify(stream)}]}` };
  }

  /** Sees to it that what is answered is not before a change that the caller has heard of. @throws NotReady, EnvironmentNotFound */
  async reach(scope: KeyScope, id: string): Promise<void> {
    await this.feeds.reach(environmentOf(scope), id);
  }

  private held(scope: KeyScope): HeldSnapshot {
    const held = this.snapshots.get(environmentOf(scope));
    if (held) return held;
    // Without the database nobody knows that an environment does not exist.
    if (!this.snapshots.knowsAll) throw new NotReady();
    throw new EnvironmentNotFound(environmentOf(scope));
  }

  private count(scope: KeyScope, decision: Decision): void {
    this.metrics.count(environmentOf(scope), decision);
  }
}

/** Server and client keys have one; others are not let in. */
const environmentOf = ({ environmentKey }: KeyScope): string => environmentKey ?? '';

/**
 * Changes with what is answered, and when the address of the stream is a new one. Not with the revision: what changes nothing for
 * this caller is a 304. Weak, for the address also tells from where on to follow.
 */
function tagOf(flags: string, token: string): string {
  const digest = createHash('sha256').update(flags).update(token).digest('base64url');
  return `W/"${digest.slice(0, 27)}"`;
}

const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');

function knows(knownTags: string | undefined, tag: string): boolean {
  if (knownTags === undefined) return false;
  return (
    knownTags === tag ||
    knownTags.trim() === '*' ||
    knownTags.split(',').some((known) => opaque(known) === opaque(tag))
  );
}

import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { evaluate, flagNotFound, type CompiledSnapshot, type Context, type Decision } from '../core/index.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { NotReady } from '../evaluation/evaluation.errors.js';
import { EvaluationMetrics } from '../evaluation/evaluation.metrics.js';
import type { HeldSnapshot } from '../evaluation/held-snapshot.js';
import { SnapshotStore } from '../evaluation/snapshot-store.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { SendBuffers } from './send-buffers.js';
import { FeedsService } from '../stream/feeds.service.js';
import { HEAD_ROOM, ListTexts } from './ofrep-list.js';
import { FlagTexts } from './ofrep-text.js';
import { StreamAddresses } from './stream-addresses.js';

/** An answer as it goes over the wire, whatever carries it there. */
export interface OfrepAnswer {
  readonly status: 200 | 304 | 400 | 404;
  /** Names and values in turn; beside the type and the length of the body. */
  readonly headers: readonly string[];
  /** JSON; empty with 304. */
  readonly body: string | Buffer;
  /** Of the body as UTF-8. */
  readonly bytes: number;
  /** Bytes before the body, in its memory, that may be written over. */
  readonly room?: number;
  /** To be called once the body has been sent. */
  readonly sent?: () => void;
}

/** What the answers about all flags to one key end with, as long as nothing of it changes. */
interface Ending {
  readonly token: string;
  readonly since: string;
  readonly after: Buffer;
  readonly seed: readonly [number, number];
}

/** Seconds after which a page that nobody looks at lets go of its stream. */
const INACTIVITY_SECONDS = 120;
/** The headers of every answer about one flag. */
export const OF_ONE_FLAG: readonly string[] = ['Cache-Control', 'no-store'];

/** Answers what a user gets, in the words of OFREP, from memory. The key that asks says in which environment. */
@Injectable()
export class OfrepService {
  private readonly texts: FlagTexts;
  private readonly textsForClients: FlagTexts;
  private readonly lists = new WeakMap<CompiledSnapshot, ListTexts>();
  private readonly listsForClients = new WeakMap<CompiledSnapshot, ListTexts>();
  private readonly buffers = new SendBuffers();
  private readonly endings = new WeakMap<KeyScope, Ending>();

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly feeds: FeedsService,
    metrics: EvaluationMetrics,
    private readonly addresses: StreamAddresses,
  ) {
    const countOf = (environment: string, decision: Decision) => metrics.countOf(environment, decision);
    this.texts = new FlagTexts(true, countOf);
    this.textsForClients = new FlagTexts(false, countOf);
  }

  /** Whether there is anything to answer with. @throws nothing */
  canAnswer(scope: KeyScope): boolean {
    return this.snapshots.get(environmentOf(scope)) !== undefined;
  }

  /** @throws NotReady, EnvironmentNotFound */
  evaluate(flagKey: string, context: Context, scope: KeyScope): OfrepAnswer {
    const { compiled } = this.held(scope);
    // For a client key what is not visible to clients does not exist: neither is looked up.
    const isHidden = scope.clientOnly && !compiled.clientVisible.has(flagKey);
    const decision = isHidden ? flagNotFound(flagKey) : evaluate(compiled, flagKey, context, Date.now, false);
    const { status, json, bytes } = this.textsFor(scope).of(compiled, decision);
    return { status, headers: OF_ONE_FLAG, body: json, bytes };
  }

  /**
   * All flags that the key may know of.
   * @param knownTags the `If-None-Match` header
   * @throws NotReady, EnvironmentNotFound
   */
  evaluateAll(context: Context, scope: KeyScope, knownTags: string | undefined): OfrepAnswer {
    const { compiled } = this.held(scope);
    const list = this.listFor(scope, compiled);
    const numbers = list.ask(context);
    const { after, seed } = this.endingFor(scope, compiled.environmentKey);
    const tag = `W/"${list.digest(numbers, seed)}"`;
    const headers = ['Cache-Control', 'private, no-cache', 'ETag', tag];
    if (knows(knownTags, tag)) return { status: 304, headers, body: '', bytes: 0 };
    const { body, buffer } = list.join(numbers, after, this.buffers);
    return {
      status: 200,
      headers,
      body,
      bytes: body.length,
      room: HEAD_ROOM,
      sent: () => this.buffers.give(buffer),
    };
  }

  /** Sees to it that what is answered is not before a change that the caller has heard of. @throws NotReady, EnvironmentNotFound */
  async reach(scope: KeyScope, id: string): Promise<void> {
    await this.feeds.reach(environmentOf(scope), id);
  }

  private textsFor({ clientOnly }: KeyScope): FlagTexts {
    return clientOnly ? this.textsForClients : this.texts;
  }

  private listFor({ clientOnly }: KeyScope, compiled: CompiledSnapshot): ListTexts {
    const lists = clientOnly ? this.listsForClients : this.lists;
    let list = lists.get(compiled);
    if (!list) {
      const only = clientOnly ? compiled.clientVisible : undefined;
      list = new ListTexts(compiled, only, clientOnly ? this.textsForClients : this.texts);
      lists.set(compiled, list);
    }
    return list;
  }

  private held(scope: KeyScope): HeldSnapshot {
    const held = this.snapshots.get(environmentOf(scope));
    if (held) return held;
    // Without the database nobody knows that an environment does not exist.
    if (!this.snapshots.knowsAll) throw new NotReady();
    throw new EnvironmentNotFound(environmentOf(scope));
  }

  private endingFor(scope: KeyScope, environmentKey: string): Ending {
    const since = this.feeds.idOf(environmentKey);
    const token = this.addresses.tokenFor(scope.keyId);
    const known = this.endings.get(scope);
    if (known?.token === token && known.since === since) return known;
    const stream = {
      type: 'sse',
      endpoint: { requestUri: this.addresses.uriOf(token, since) },
      inactivityDelaySec: INACTIVITY_SECONDS,
    };
    const hash = createHash('sha256').update(token).digest();
    const ending: Ending = {
      token,
      since,
      after: Buffer.from(`],"eventStreams":[${JSON.stringify(stream)}]}`),
      // Changes when the address of the stream is a new one. Not with the revision: what changes nothing for this caller is a 304.
      seed: [hash.readInt32LE(0), hash.readInt32LE(4)],
    };
    this.endings.set(scope, ending);
    return ending;
  }
}

/** Server and client keys have one; others are not let in. */
const environmentOf = ({ environmentKey }: KeyScope): string => environmentKey ?? '';

const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');

/** Tags are weak, for the address of the stream also tells from where on to follow. */
function knows(knownTags: string | undefined, tag: string): boolean {
  if (knownTags === undefined) return false;
  return (
    knownTags === tag ||
    knownTags.trim() === '*' ||
    knownTags.split(',').some((known) => opaque(known) === opaque(tag))
  );
}

/** Flags as people edit them, for programs with an admin key. */
import { FlagNotFound } from '../errors.js';
import { keySegment } from './key-segment.js';
import type { Requester } from '../requester.js';
import type { JsonValue } from '../types.js';

/** A flag, as the service's own API has it (`GET /flags/{key}` in its documentation). Later versions may say more. */
export interface Flag {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly value_type: 'boolean' | 'string' | 'number' | 'json';
  readonly variants: readonly { readonly key: string; readonly value: JsonValue }[];
  readonly tags: readonly string[];
  readonly owner: string | null;
  readonly archived_at: string | null;
  readonly client_visible: boolean;
  readonly environment_key: string;
  readonly flag_type: 'boolean' | 'percentage' | 'multivariate';
  readonly is_enabled: boolean;
  /** From 0 to 100; `null` for multivariate flags. */
  readonly rollout_percentage: number | null;
  readonly off_variant: string | null;
  /** Counts its changes in this environment. */
  readonly version: number;
  /** RFC 3339. */
  readonly created_at: string;
  /** RFC 3339. */
  readonly updated_at: string;
  readonly [field: string]: unknown;
}

/** What may be said of a flag, as the service's own API has it. What is left out stays as it is. */
export interface FlagChange {
  readonly name?: string;
  readonly description?: string | null;
  readonly is_enabled?: boolean;
  /** From 0 to 100, in steps of 0.01. */
  readonly rollout_percentage?: number;
  /** Why; for the audit log. */
  readonly reason?: string;
  readonly [field: string]: unknown;
}

export interface NewFlag extends FlagChange {
  readonly key: string;
  readonly name: string;
}

export interface FlagFilter {
  /** How many to leave out; 0 unless said otherwise. */
  readonly skip?: number;
  /** How many at the most, up to 1,000; 100 unless said otherwise. */
  readonly limit?: number;
  /** Text in key, name or description. */
  readonly q?: string;
  readonly tag?: string;
}

export interface EditOptions {
  /** The version that was edited: when the flag has another one by now nothing is changed, and the call rejects with ApiError 412. */
  readonly ifVersion?: number;
}

const pathOf = (key: string): string => `flags/${keySegment(key)}`;

/** Lists, makes, changes and deletes the flags of one environment. */
export class FlagManagement {
  private readonly query: { readonly environment_key: string };

  /** @param onChanged told after each change, so that nothing is answered by what was before */
  constructor(
    private readonly requester: Requester,
    environment: string,
    private readonly onChanged: () => void,
  ) {
    this.query = { environment_key: environment };
  }

  async list({ skip, limit, q, tag }: FlagFilter): Promise<readonly Flag[]> {
    const asked = Object.entries({ skip, limit, q, tag }).filter(([, value]) => value !== undefined);
    const query = {
      ...this.query,
      ...Object.fromEntries(asked.map(([name, value]) => [name, String(value)])),
    };
    const { body } = await this.requester.ask({ method: 'GET', path: 'flags', query, isIdempotent: true });
    return body as readonly Flag[];
  }

  async get(key: string): Promise<Flag> {
    const { query } = this;
    const { body } = await this.requester.ask({
      method: 'GET',
      path: pathOf(key),
      query,
      isIdempotent: true,
    });
    return body as Flag;
  }

  async create(flag: NewFlag): Promise<Flag> {
    // Sent twice it could fail although it was made.
    const request = {
      method: 'POST',
      path: 'flags',
      query: this.query,
      body: flag,
      isIdempotent: false,
    } as const;
    const { body } = await this.requester.ask(request);
    this.onChanged();
    return body as Flag;
  }

  async update(key: string, change: FlagChange, { ifVersion }: EditOptions): Promise<Flag> {
    const { body } = await this.requester.ask({
      method: 'PUT',
      path: pathOf(key),
      query: this.query,
      body: change,
      headers: ifMatch(ifVersion),
      // With a version the second time would be refused for what the first did.
      isIdempotent: ifVersion === undefined,
    });
    this.onChanged();
    return body as Flag;
  }

  async delete(key: string, { ifVersion }: EditOptions): Promise<void> {
    let attempts = 0;
    try {
      await this.requester.ask({
        method: 'DELETE',
        path: pathOf(key),
        query: this.query,
        headers: ifMatch(ifVersion),
        isIdempotent: true,
        onAttempt: () => (attempts += 1),
      });
    } catch (error) {
      // An attempt whose answer was lost has done it.
      if (!(error instanceof FlagNotFound && attempts > 1)) throw error;
    } finally {
      this.onChanged();
    }
  }
}

const ifMatch = (version: number | undefined): Readonly<Record<string, string>> =>
  version === undefined ? {} : { 'If-Match': `"${version}"` };

import type { IncomingHttpHeaders } from 'node:http';
import { KEY_KINDS, type KeyKind } from './key-scope.js';

/** What a request brings to say who sends it. Nothing of it is verified yet. */
export type Credentials =
  | { readonly type: 'none' }
  /** An access token of a person. */
  | { readonly type: 'token'; readonly token: string }
  /** The secret of a program. */
  | { readonly type: 'key'; readonly secret: string }
  /** Two different ones: which was meant cannot be known. */
  | { readonly type: 'ambiguous' };

const SECRET = new RegExp(`^vx_(${KEY_KINDS.join('|')})_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$`);

/** The parts of headers that are looked at: `Authorization: Bearer …` and `X-API-Key: …`, and nothing else. */
export type CredentialHeaders = Pick<IncomingHttpHeaders, 'authorization'> & {
  readonly 'x-api-key'?: string | string[] | undefined;
};

/** Reads what a request says of its sender. Pure, and the same for every door of the service. */
export function readCredentials(headers: CredentialHeaders): Credentials {
  const key = apiKeyHeader(headers['x-api-key']);
  const bearer = bearerToken(headers.authorization);
  if (key !== undefined && bearer !== undefined && key !== bearer) return { type: 'ambiguous' };
  if (key !== undefined) return { type: 'key', secret: key };
  if (bearer === undefined) return { type: 'none' };
  return bearer.startsWith('vx_') ? { type: 'key', secret: bearer } : { type: 'token', token: bearer };
}

/** The kind that a secret says it is; `undefined` for what cannot be one that we made. */
export function kindOfSecret(secret: string): KeyKind | undefined {
  return SECRET.exec(secret)?.[1] as KeyKind | undefined;
}

/**
 * The headers without an `X-API-Key` that can be no secret of ours, for where nobody needs one.
 * @param isKnown whether a secret is that of a key all the same, though it does not look like one
 */
export function withoutForeignKey<H extends CredentialHeaders>(
  headers: H,
  isKnown: (secret: string) => boolean,
): H {
  const key = apiKeyHeader(headers['x-api-key']);
  return key === undefined || kindOfSecret(key) !== undefined || isKnown(key)
    ? headers
    : { ...headers, 'x-api-key': undefined };
}

function apiKeyHeader(header: string | string[] | undefined): string | undefined {
  // Node joins repeated headers of that name with a comma, which no secret has.
  const text = Array.isArray(header) ? header.join(', ') : header;
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/** The token in `Authorization: Bearer …`; `undefined` when there is none of that kind. */
function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
}

import { body, client, ifMatch, page, type Schemas } from './client.js';
import type { operations } from './schema.gen.js';

export type Flag = Schemas['Flag'];
export type FlagTableRow = Schemas['FlagTableRow'];
export type FlagTableCell = Schemas['FlagTableCell'];
export type Variant = Schemas['Variant'];
export type Serve = Schemas['Serve'];
export type Rollout = Schemas['Rollout'];
export type Rule = Schemas['Rule'];
export type ValueType = Flag['value_type'];
export type Warning = Schemas['Warning'];
export type FlagUpdate = Schemas['UpdateFlagRequest'];
export type NewFlag = Schemas['CreateFlagRequest'];
export type FlagTableQuery = NonNullable<operations['getFlagTable']['parameters']['query']>;

/** What is said beside a change: why, and that it is meant. */
export interface Consent {
  readonly reason?: string | undefined;
  /** The key, typed by the person. */
  readonly confirm?: string | undefined;
}

const said = ({ reason, confirm }: Consent): { reason?: string; confirm?: string } => ({
  ...(reason ? { reason } : {}),
  ...(confirm ? { confirm } : {}),
});

export const readFlagTable = (query: FlagTableQuery): Promise<{ items: FlagTableRow[]; total: number }> =>
  page(client.GET('/flag-table', { params: { query } }));

export const readFlag = (key: string, environment: string): Promise<Flag> =>
  body(client.GET('/flags/{key}', { params: { path: { key }, query: { environment_key: environment } } }));

export const createFlag = (request: NewFlag): Promise<Flag> => body(client.POST('/flags', { body: request }));

export const updateFlag = (
  key: string,
  environment: string,
  update: FlagUpdate,
  version: number | undefined,
  consent: Consent = {},
  batch?: string,
): Promise<Flag> =>
  body(
    client.PUT('/flags/{key}', {
      ...(batch === undefined ? {} : { headers: { 'X-Request-Id': batch } }),
      params: { path: { key }, query: { environment_key: environment }, header: ifMatch(version) },
      body: { ...update, ...said(consent) },
    }),
  );

export const deleteFlag = async (
  key: string,
  environment: string,
  version: number | undefined,
  consent: Consent = {},
): Promise<void> => {
  await body(
    client.DELETE('/flags/{key}', {
      params: {
        path: { key },
        query: { environment_key: environment, ...said(consent) },
        header: ifMatch(version),
      },
    }),
  );
};

export const listTargets = (
  key: string,
  environment: string,
  variant: string,
  query: { q?: string; skip: number; limit: number },
): Promise<{ items: string[]; total: number }> =>
  page(
    client.GET('/flags/{key}/targets/{variant}', {
      params: { path: { key, variant }, query: { environment_key: environment, ...query } },
    }),
  );

/** Takes a change of a flag back, by the position of its audit entry. */
export const revertFlag = (
  key: string,
  environment: string,
  position: number,
  { reason, confirm }: Consent,
): Promise<Flag> =>
  body(
    client.POST('/flags/{key}/revert', {
      params: { path: { key }, query: { environment_key: environment } },
      body: { position, ...said({ reason, confirm }) },
    }),
  );

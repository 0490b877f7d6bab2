import { body, client, ifMatch, page, type Schemas } from './client.js';
import type { Consent } from './flags.js';

export type Segment = Schemas['Segment'];
export type SegmentSummary = Schemas['SegmentSummary'];
export type SegmentUpdate = Schemas['UpdateSegmentRequest'];

export const listSegments = (query: {
  environment_key?: string;
  q?: string;
  skip: number;
  limit: number;
}): Promise<{ items: SegmentSummary[]; total: number }> =>
  page(client.GET('/segments', { params: { query } }));

export const readSegment = (key: string, environment: string): Promise<Segment> =>
  body(client.GET('/segments/{key}', { params: { path: { key }, query: { environment_key: environment } } }));

export const createSegment = (request: Schemas['CreateSegmentRequest']): Promise<Segment> =>
  body(client.POST('/segments', { body: request }));

export const updateSegment = (
  key: string,
  environment: string,
  update: SegmentUpdate,
  version: number | undefined,
  { reason, confirm }: Consent,
): Promise<Segment> =>
  body(
    client.PUT('/segments/{key}', {
      params: { path: { key }, query: { environment_key: environment }, header: ifMatch(version) },
      body: { ...update, ...(reason ? { reason } : {}), ...(confirm ? { confirm } : {}) },
    }),
  );

/** Takes a change of a segment back, by the position of its audit entry. */
export const revertSegment = (
  key: string,
  environment: string,
  position: number,
  { reason, confirm }: Consent,
): Promise<Segment> =>
  body(
    client.POST('/segments/{key}/revert', {
      params: { path: { key }, query: { environment_key: environment } },
      body: { position, ...(reason ? { reason } : {}), ...(confirm ? { confirm } : {}) },
    }),
  );

export const deleteSegment = async (
  key: string,
  environment: string,
  version: number | undefined,
  { reason, confirm }: Consent,
): Promise<void> => {
  await body(
    client.DELETE('/segments/{key}', {
      params: {
        path: { key },
        query: {
          environment_key: environment,
          ...(reason ? { reason } : {}),
          ...(confirm ? { confirm } : {}),
        },
        header: ifMatch(version),
      },
    }),
  );
};

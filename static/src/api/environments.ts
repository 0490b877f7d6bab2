import { body, client, ifMatch, type Schemas } from './client.js';

export type Environment = Schemas['Environment'];

export const listEnvironments = (): Promise<Environment[]> => body(client.GET('/environments'));
export const createEnvironment = (request: Schemas['CreateEnvironmentRequest']): Promise<Environment> =>
  body(client.POST('/environments', { body: request }));
export const updateEnvironment = (
  key: string,
  request: Schemas['UpdateEnvironmentRequest'],
  version?: number,
): Promise<Environment> =>
  body(
    client.PUT('/environments/{key}', { params: { path: { key }, header: ifMatch(version) }, body: request }),
  );
export const deleteEnvironment = async (key: string, force: boolean, version?: number): Promise<void> => {
  await body(
    client.DELETE('/environments/{key}', {
      params: { path: { key }, query: { force }, header: ifMatch(version) },
    }),
  );
};

import { body, client, page, type Schemas } from './client.js';

export type User = Schemas['User'];
export type Role = Schemas['Role'];
export type Session = Schemas['Session'];
export type SetupState = Schemas['SetupState'];

export const readSetup = (): Promise<SetupState> => body(client.GET('/auth/setup'));
export const setUp = (request: Schemas['SetupRequest']): Promise<Session> =>
  body(client.POST('/auth/setup', { body: request }));
export const logIn = (request: Schemas['LoginRequest']): Promise<Session> =>
  body(client.POST('/auth/login', { body: request }));
export const register = (request: Schemas['RegisterRequest']): Promise<Session> =>
  body(client.POST('/auth/register', { body: request }));
export const refresh = (): Promise<Session> => body(client.POST('/auth/refresh'));
export const readMe = (): Promise<User> => body(client.GET('/auth/me'));

export const listUsers = (skip: number, limit: number): Promise<{ items: User[]; total: number }> =>
  page(client.GET('/auth/users', { params: { query: { skip, limit } } }));
export const changeRole = (id: string, role: Role, reason?: string): Promise<User> =>
  body(
    client.PUT('/auth/users/{id}/role', {
      params: { path: { id } },
      body: { role, ...(reason ? { reason } : {}) },
    }),
  );
export const setActive = (id: string, isActive: boolean, reason?: string): Promise<User> =>
  body(
    client.PUT('/auth/users/{id}/active', {
      params: { path: { id } },
      body: { is_active: isActive, ...(reason ? { reason } : {}) },
    }),
  );

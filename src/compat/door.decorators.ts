import { applyDecorators, Delete, Get, Header, HttpCode, Post, Put } from '@nestjs/common';
import { AtLeastUnlessOpened, Open, Public } from '../platform/access/access.decorators.js';

const now = () => Header('Cache-Control', 'no-store');

/** A line of a dialect's table: what anybody may look at who may ask what users get; no client key, which is for one page's users. */
export const Looks = (path: string) => applyDecorators(Get(path), Open(['server']), now());

/** What a user gets. */
export const Asks = (path: string) => applyDecorators(Get(path), Open(['server', 'client']), now());

/** What says nothing of flags. */
export const Tells = (path: string) => applyDecorators(Get(path), Public(), now());

/** Changes, for developers, as they are natively. Where the environment is protected the service asks for an admin. */
export const Creates = (path: string) =>
  applyDecorators(Post(path), HttpCode(201), AtLeastUnlessOpened('developer'), now());
export const Changes = (path: string) => applyDecorators(Put(path), AtLeastUnlessOpened('developer'), now());
export const Does = (path: string, status = 200) =>
  applyDecorators(Post(path), HttpCode(status), AtLeastUnlessOpened('developer'), now());
export const Forgets = (path: string) =>
  applyDecorators(Delete(path), HttpCode(200), AtLeastUnlessOpened('developer'), now());

/** For admins, as it is natively. */
export const Deletes = (path: string) =>
  applyDecorators(Delete(path), HttpCode(204), AtLeastUnlessOpened('admin'), now());

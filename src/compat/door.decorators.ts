import { applyDecorators, Delete, Get, Header, HttpCode, Post, Put, SetMetadata } from '@nestjs/common';
import { AtLeastUnlessOpened, OpenWhateverKey, Public } from '../platform/access/access.decorators.js';

const now = () => Header('Cache-Control', 'no-store');

export const WHAT = 'vexil:what';
/** What a route does, for the document of its dialect. */
const describe = (what: string) => SetMetadata(WHAT, what);

/** A line of a dialect's table: what anybody may look at who may ask what users get; no client key, which is for one page's users. */
export const Looks = (path: string, what: string) =>
  applyDecorators(describe(what), Get(path), OpenWhateverKey(['server']), now());

/** What a user gets. */
export const Asks = (path: string, what: string) =>
  applyDecorators(describe(what), Get(path), OpenWhateverKey(['server', 'client']), now());

/** What says nothing of flags. */
export const Tells = (path: string, what: string) =>
  applyDecorators(describe(what), Get(path), Public(), now());

/** Changes, for developers, as they are natively. Where the environment is protected the service asks for an admin. */
export const Creates = (path: string, what: string) =>
  applyDecorators(describe(what), Post(path), HttpCode(201), AtLeastUnlessOpened('developer'), now());
export const Changes = (path: string, what: string) =>
  applyDecorators(describe(what), Put(path), AtLeastUnlessOpened('developer'), now());
export const Does = (path: string, what: string, status = 200) =>
  applyDecorators(describe(what), Post(path), HttpCode(status), AtLeastUnlessOpened('developer'), now());
export const Forgets = (path: string, what: string) =>
  applyDecorators(describe(what), Delete(path), HttpCode(200), AtLeastUnlessOpened('developer'), now());

/** For admins, as it is natively. */
export const Deletes = (path: string, what: string) =>
  applyDecorators(describe(what), Delete(path), HttpCode(204), AtLeastUnlessOpened('admin'), now());

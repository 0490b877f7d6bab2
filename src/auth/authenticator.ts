import { Injectable } from '@nestjs/common';
import { AccountDirectory } from './account-directory.js';
import { AccountDisabled, InvalidToken } from './auth.errors.js';
import { Tokens, type Claims } from './tokens.js';
import type { User } from './user.js';

/** What a valid token stands for: the person as they are now, and what the token says. */
export interface OpenSession {
  readonly user: User;
  readonly claims: Claims;
}

/** Finds the person behind a token, as they are now: a disabled account or a changed role ends it at once. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly tokens: Tokens,
    private readonly accounts: AccountDirectory,
  ) {}

  /** @throws InvalidToken, AccountDisabled */
  async authenticate(token: string): Promise<OpenSession> {
    const claims = await this.tokens.read(token);
    const user = await this.accounts.find(claims.userId);
    if (user && !user.isActive) throw new AccountDisabled();
    if (user?.tokenVersion !== claims.tokenVersion) throw new InvalidToken();
    return { user, claims };
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../platform/access/actor.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { Invalid } from '../platform/errors/errors.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { LoginFailed, RegistrationClosed, SessionTooOld, SetupDone, SetupTokenWrong } from './auth.errors.js';
import type { OpenSession } from './authenticator.js';
import { InvitesService } from './invites.service.js';
import { PasswordHasher } from './password-hasher.js';
import { Tokens } from './tokens.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/** After so long a person must give their password again, however often they refreshed. */
const LONGEST_SESSION_SECONDS = 12 * 60 * 60;

export interface Session {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly user: User;
}

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

/** Lets people in: by registering, by an invitation, by password, by a session that they already have. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly users: UsersService,
    private readonly accounts: UsersRepository,
    private readonly invites: InvitesService,
    private readonly passwords: PasswordHasher,
    private readonly limiter: AttemptLimiter,
    private readonly tokens: Tokens,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws RegistrationClosed, EmailTaken, TooManyAttempts */
  async register(actor: Actor, address: string, { password, ...person }: Registration): Promise<Session> {
    if (!this.config.registrationOpen) throw new RegistrationClosed();
    await this.limiter.beforeRegistration(address);
    const passwordHash = await this.passwords.hash(password);
    return this.sessionOf(await this.users.register(actor, { ...person, passwordHash }));
  }

  /** @throws SetupDone, SetupTokenWrong, EmailTaken, TooManyAttempts */
  async setUp(
    actor: Actor,
    address: string,
    { token, password, ...person }: Registration & { readonly token: string },
  ): Promise<Session> {
    await this.limiter.beforeRegistration(address);
    // Asked first: once there is an admin, nothing tells a right token from a wrong one.
    if (!(await this.users.needsAdmin())) throw new SetupDone();
    if (!this.tokens.isSetupToken(token)) throw new SetupTokenWrong();
    const passwordHash = await this.passwords.hash(password);
    return this.sessionOf(await this.users.registerFirstAdmin(actor, { ...person, passwordHash }));
  }

  /** Also where registration is closed. @throws InviteNotFound, Invalid, EmailTaken, TooManyAttempts */
  async accept(
    actor: Actor,
    address: string,
    { token, password, ...person }: Registration & { readonly token: string },
  ): Promise<Session> {
    // Asked first: a stranger must not make this service hash.
    const { email } = await this.invites.look(address, token);
    if (email !== null && email !== person.email)
      throw new Invalid([{ path: 'email', message: 'must be the address that the invitation is for' }]);
    await this.limiter.beforeRegistration(address);
    const passwordHash = await this.passwords.hash(password);
    return this.sessionOf(await this.users.join(actor, { ...person, passwordHash }, token));
  }

  /** @throws LoginFailed without saying why, after the same time; TooManyAttempts */
  async logIn(address: string, email: string, password: string): Promise<Session> {
    return this.limiter.attempt(email, address, async () => {
      const user = await this.accounts.findWithHash(email);
      const fits = await this.passwords.verify(user?.passwordHash, password);
      if (!user || !fits || !user.isActive) throw new LoginFailed();
      return this.sessionOf(user);
    });
  }

  /** A new token for a session that is not over. @throws SessionTooOld */
  async refresh({ user, claims }: OpenSession): Promise<Session> {
    if (Date.now() / 1000 - claims.authenticatedAt > LONGEST_SESSION_SECONDS) throw new SessionTooOld();
    return this.sessionOf(user, claims.authenticatedAt);
  }

  private async sessionOf(user: User, authenticatedAt?: number): Promise<Session> {
    const accessToken = await this.tokens.sign(user, authenticatedAt);
    return { accessToken, expiresInSeconds: this.tokens.expiresInSeconds, user };
  }
}

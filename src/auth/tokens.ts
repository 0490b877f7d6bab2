import { Inject, Injectable } from '@nestjs/common';
import { jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { createHmac, createSecretKey, randomUUID, timingSafeEqual, type KeyObject } from 'node:crypto';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { signingSecret } from '../platform/config/signing-secret.js';
import { InvalidToken } from './auth.errors.js';
import type { User } from './user.js';

const ISSUER = 'vexil';
const AUDIENCE = 'vexil-api';
const TYPE = 'at+jwt';
const LONGEST_TOKEN = 4_096;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** What a valid token says. */
export interface Claims {
  readonly userId: string;
  readonly tokenVersion: number;
  /** When the person gave a password, in seconds since 1970; survives refreshing. */
  readonly authenticatedAt: number;
  /** In seconds since 1970. */
  readonly expiresAt: number;
}

/** Signs and reads access tokens: HS256 and nothing else, whatever a token asks for. */
@Injectable()
export class Tokens {
  readonly expiresInSeconds: number;
  private readonly signingKey: KeyObject;
  private readonly keys: readonly KeyObject[];

  constructor(@Inject(CONFIG) config: Config) {
    const secrets = [
      signingSecret(config),
      ...(config.jwtSecretKeyPrevious === undefined ? [] : [config.jwtSecretKeyPrevious]),
    ];
    this.keys = secrets.map((secret) => createSecretKey(Buffer.from(secret)));
    this.signingKey = createSecretKey(Buffer.from(secrets[0] ?? ''));
    this.expiresInSeconds = config.jwtExpireMinutes * 60;
  }

  async sign(user: User, authenticatedAt = Math.floor(Date.now() / 1000)): Promise<string> {
    return new SignJWT({
      email: user.email,
      role: user.role,
      ver: user.tokenVersion,
      auth_time: authenticatedAt,
    })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(user.id)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${this.expiresInSeconds}s`)
      .sign(this.signingKey);
  }

  /** @throws InvalidToken */
  async read(token: string): Promise<Claims> {
    if (token.length > LONGEST_TOKEN) throw new InvalidToken();
    for (const key of this.keys) {
      const payload = await this.verified(token, key);
      if (payload) return claimsOf(payload);
    }
    throw new InvalidToken();
  }

  private async verified(token: string, key: KeyObject): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['exp', 'iat', 'sub', 'jti', 'ver', 'auth_time'],
        clockTolerance: 5,
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  /**
   * The one-time token with which the first admin is set up. Derived from the signing secret, so that all instances
   * print the same one and nothing has to be stored; it is worth nothing once there is an admin.
   */
  setupToken(): string {
    return createHmac('sha256', this.signingKey).update('vexil setup token').digest('base64url').slice(0, 32);
  }

  isSetupToken(candidate: string): boolean {
    const digest = (text: string) => createHmac('sha256', this.signingKey).update(text).digest();
    return timingSafeEqual(digest(candidate), digest(this.setupToken()));
  }
}

function claimsOf(payload: JWTPayload): Claims {
  const { sub, ver, auth_time: authenticatedAt, exp: expiresAt } = payload;
  if (typeof sub !== 'string' || typeof ver !== 'number' || typeof authenticatedAt !== 'number')
    throw new InvalidToken();
  if (expiresAt === undefined) throw new InvalidToken();
  if (!UUID.test(sub)) throw new InvalidToken();
  return { userId: sub, tokenVersion: ver, authenticatedAt, expiresAt };
}

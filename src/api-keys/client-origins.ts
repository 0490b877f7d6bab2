import { Injectable, type OnModuleInit } from '@nestjs/common';
import { readCredentials } from '../platform/access/credentials.js';
import { CrossOrigin, type CrossOriginRequest } from '../platform/http/cross-origin.js';
import { ApiKeyDirectory } from './api-key-directory.js';

/** What client keys are for. Management is none of it: there only ALLOWED_ORIGINS counts. */
const FOR_CLIENTS = /^\/(evaluate|ofrep)(\/|$)/;

/** Lets pages read what is answered to client keys: of the origins that the key names, compared as they are. */
@Injectable()
export class ClientOrigins implements OnModuleInit {
  constructor(
    private readonly crossOrigin: CrossOrigin,
    private readonly keys: ApiKeyDirectory,
  ) {}

  onModuleInit(): void {
    this.crossOrigin.register((request) => this.allows(request));
  }

  private allows({ method, path, headers, origin }: CrossOriginRequest): boolean {
    if (!FOR_CLIENTS.test(path)) return false;
    // A preflight brings no credential: it asks whether there is any key with which it is worth trying.
    if (method === 'OPTIONS') return this.keys.isClientOrigin(origin, undefined);
    const credentials = readCredentials(headers);
    return credentials.type === 'key' && this.keys.isClientOrigin(origin, credentials.secret);
  }
}

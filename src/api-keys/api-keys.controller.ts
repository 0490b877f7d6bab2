import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { CurrentActor, PersonAtLeast } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { ApiKeysService } from './api-keys.service.js';
import {
  createApiKeyRequest,
  listApiKeysQuery,
  revokeApiKeyQuery,
  updateApiKeyRequest,
  type CreateApiKeyRequest,
  type ListApiKeysQuery,
  type RevokeApiKeyQuery,
  type UpdateApiKeyRequest,
} from './dto/api-key.requests.js';
import {
  apiKeyResponse,
  newApiKeyResponse,
  presentApiKey,
  presentNewApiKey,
} from './dto/api-key.response.js';

const keyId = z.uuid().meta({ description: 'The id of an API key.' });

@ApiTags('api-keys')
@Controller('auth/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @PersonAtLeast('admin')
  @ApiOperation({
    operationId: 'listApiKeys',
    summary: 'All API keys',
    description: 'Newest first. Revoked ones stay in the list.',
  })
  @Answers('The keys.', z.array(apiKeyResponse), { headers: ['X-Total-Count'] })
  @Fails(503)
  async list(
    @Query({ schema: listApiKeysQuery }) query: ListApiKeysQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { keys, total } = await this.keys.list(query.skip, query.limit);
    response.setHeader('X-Total-Count', total);
    return keys.map(presentApiKey);
  }

  @Get(':id')
  @PersonAtLeast('admin')
  @ApiOperation({ operationId: 'getApiKey', summary: 'One API key', description: 'Without its secret.' })
  @Answers('The key.', apiKeyResponse)
  @Fails(404, 503)
  async find(@Param('id', { schema: keyId }) id: string) {
    return presentApiKey(await this.keys.find(id));
  }

  @Post()
  @PersonAtLeast('admin')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'createApiKey',
    summary: 'Make an API key',
    description: 'The answer holds the secret, this once: only a hash of it is kept.',
  })
  @Answers('The new key.', newApiKeyResponse, { status: 201 })
  @Fails(404, 503)
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createApiKeyRequest }) body: CreateApiKeyRequest,
  ) {
    return presentNewApiKey(await this.keys.create(actor, body));
  }

  @Patch(':id')
  @PersonAtLeast('admin')
  @ApiOperation({
    operationId: 'updateApiKey',
    summary: 'Change an API key',
    description:
      'Fields that are absent stay as they are. The secret, the kind and what it is for never change.',
  })
  @Answers('The key as it is now.', apiKeyResponse)
  @Fails(404, 409, 503)
  async update(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: keyId }) id: string,
    @Body({ schema: updateApiKeyRequest }) body: UpdateApiKeyRequest,
  ) {
    return presentApiKey(await this.keys.update(actor, id, body));
  }

  @Delete(':id')
  @PersonAtLeast('admin')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'It is refused at once, by all instances within a second, and stays in the list.',
  })
  @Answers('It is revoked.')
  @Fails(404, 503)
  async revoke(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: keyId }) id: string,
    @Query({ schema: revokeApiKeyQuery }) query: RevokeApiKeyQuery,
  ): Promise<void> {
    await this.keys.revoke(actor, id, query.reason);
  }
}

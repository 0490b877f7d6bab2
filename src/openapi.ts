import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ofrepFailureResponse } from './ofrep/dto/ofrep.responses.js';
import { SERVICE } from './operations/service-info.js';
import { isDecision } from './platform/logging/decision-paths.js';
import { schemaConverter } from './platform/http/openapi-schema.js';
import {
  failureReference,
  HEADERS,
  headerReferences,
  problemResponses,
} from './platform/http/problem-responses.js';
import { problemSchema } from './platform/http/problem.js';

const DESCRIPTION = `Feature flags: decide, change safely, and say why.

Failures are problem documents (RFC 9457) with a stable \`code\`; below \`/ofrep\` they are those of that protocol. A path that exists with other methods answers 405 with
\`Allow\`, any other 404. Fields and query parameters that are not described here are refused by name.`;

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Response = {
  description?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema?: unknown }>;
};

/** What is left of a limit, wherever there is one. */
const ALLOWANCE = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'] as const;
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** The document that describes every route. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const toOpenApi = schemaConverter();
  const document = SwaggerModule.createDocument(app, frame(), {
    standardSchemaConverter: toOpenApi,
    autoTagControllers: false,
  });
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      complete(operation, {
        hasBody: method.startsWith('p'),
        hasKey: path.includes('{'),
        // OFREP says itself how it fails.
        isOurs: !path.startsWith('/ofrep/'),
        isDecision: isDecision(path),
      });
    }
  }
  // Failures refer to these by name.
  const [problem, ofrepFailure] = [problemSchema, ofrepFailureResponse].map(
    (schema) => toOpenApi(schema, { schemaType: 'output' }).components,
  );
  document.components = {
    ...document.components,
    schemas: inOrder({ ...document.components?.schemas, ...problem, ...ofrepFailure }),
    responses: problemResponses(),
    headers: HEADERS,
  };
  return document;
}

function frame() {
  const frame = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Vexil')
    .setDescription(DESCRIPTION)
    .setVersion(SERVICE.version)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `access_token` that registering, logging in or refreshing gives.',
      },
      'bearer',
    )
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'The secret of an API key. `Authorization: Bearer <secret>` does as well.',
      },
      'apiKey',
    )
    .addTag('evaluation', 'What users get.')
    .addTag('ofrep', 'What users get, for OpenFeature.')
    .addTag('stream', 'What is needed to evaluate elsewhere, and its changes.')
    .addTag('flags', 'Flags and what they do in each environment.')
    .addTag('segments', 'Named sets of users, for flags to speak of.')
    .addTag('environments', 'Where flags have settings of their own.')
    .addTag('people', 'Accounts, roles and tokens.')
    .addTag('api-keys', 'What programs call with.')
    .addTag('audit', 'Who changed what.')
    .addTag('usage', 'How often the service answered.')
    .addTag('cache', 'What is remembered.')
    .addTag('operations', 'For those who run it.')
    .build();
  // The builder would add an empty e-mail address.
  frame.info.contact = { name: 'Vexil' };
  return frame;
}

interface Shape {
  readonly hasBody: boolean;
  readonly hasKey: boolean;
  readonly isOurs: boolean;
  readonly isDecision: boolean;
}

/** Adds what follows from the shape of a route, and refers to what many routes share. */
function complete(operation: Operation, { hasBody, hasKey, isOurs, isDecision: isAsked }: Shape): void {
  // Public is said too, not only left unsaid.
  operation.security ??= [];
  for (const parameter of operation.parameters ?? []) {
    // Said by the parameter itself.
    if ('schema' in parameter) Reflect.deleteProperty(parameter.schema ?? {}, 'description');
  }
  const isCounted = operation.security.length > 0;
  const responses = operation.responses as Partial<Record<string, Response | { $ref: string }>>;
  for (const [status, response] of Object.entries(responses)) {
    if (!response || '$ref' in response) continue;
    if (response.content?.['application/problem+json']) responses[status] = failureReference(Number(status));
    const isSuccess = Number(status) < 400;
    response.headers = {
      ...response.headers,
      // Of what goes well in a decision there is nothing in the log to find by an id.
      ...headerReferences(
        ...(isAsked && isSuccess ? [] : ['X-Request-Id' as const]),
        ...(isCounted && isSuccess ? ALLOWANCE : []),
      ),
    };
    for (const [type, media] of Object.entries(response.content ?? {})) {
      // JSON Schema speaks of JSON; any other text is a text.
      if (type.startsWith('text/')) media.schema = { type: 'string' };
    }
  }
  if (!isOurs) return;
  // Bodies are read before anything else is looked at, also where none is needed; a key may be badly encoded.
  for (const status of hasBody ? [400, 413, 415, 422] : hasKey ? [400] : [])
    responses[status] ??= failureReference(status);
}

const inOrder = <T>(map: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

/** `/openapi.json`, and `/docs` for people. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Vexil API',
    swaggerOptions: { persistAuthorization: false, tryItOutEnabled: true },
  });
}

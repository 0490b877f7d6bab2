import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { z } from 'zod';
import { ACCESS, type Access } from '../platform/access/access.decorators.js';
import { SERVICE } from '../operations/service-info.js';
import { WHAT } from './door.decorators.js';
import { FastApiInput } from './fastapi-input.js';

interface Operation {
  readonly summary: string;
  readonly [more: string]: unknown;
}

/** An OpenAPI document of one dialect, taken from its controller. */
export interface DialectDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly [more: string]: unknown;
}

interface Argument {
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
}

/** @param base what its paths begin with */
export function dialectDocument(title: string, base: string, controller: Type): DialectDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  const prototype = controller.prototype as Record<string, object>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler = prototype[name];
    const what = handler && (Reflect.getMetadata(WHAT, handler) as string | undefined);
    if (handler === undefined || what === undefined) continue;
    const route = Reflect.getMetadata(PATH_METADATA, handler) as string;
    const path = `/${route}`.replace(/^\/+/, '/').replace(/:(\w+)/g, '{$1}');
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? '';
    (paths[path] ??= {})[method.toLowerCase()] = {
      summary: what,
      ...inputOf(controller, name),
      security: isForKeys(handler) ? [{ apiKey: [] }] : [],
      responses: { default: { description: 'See the system whose dialect this is.' } },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title, version: SERVICE.version },
    servers: [{ url: base }],
    paths,
    components: { securitySchemes: { apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' } } },
  };
}

const isForKeys = (handler: object): boolean =>
  (Reflect.getMetadata(ACCESS, handler) as Access | undefined)?.kind === 'role';

function inputOf(controller: Type, handler: string): object {
  const known = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) ?? {}) as Record<
    string,
    Argument
  >;
  const parameters: object[] = [];
  let body: object | undefined;
  for (const [type, { data, pipes = [] }] of Object.entries(known)) {
    if (type.startsWith(`${RouteParamtypes.PARAM}:`))
      parameters.push({ name: data, in: 'path', required: true, schema: { type: 'string' } });
    for (const pipe of pipes) {
      if (!(pipe instanceof FastApiInput)) continue;
      const schema = z.toJSONSchema(pipe.schema as z.ZodType, { io: 'input' }) as Shape;
      if (pipe.place === 'query') parameters.push(...queryOf(schema));
      else body = { required: true, content: { 'application/json': { schema: withoutDialect(schema) } } };
    }
  }
  return { parameters, ...(body ? { requestBody: body } : {}) };
}

interface Shape {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

const queryOf = ({ properties = {}, required = [] }: Shape): object[] =>
  Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));

const withoutDialect = (schema: object): object =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$schema'));

/** The same as a page for people. */
export function documentPage({ info, paths }: DialectDocument, base: string): string {
  const rows = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(
      ([method, { summary }]) =>
        `<tr><td><code>${method.toUpperCase()}</code></td><td><code>${base}${path}</code></td><td>${summary}</td></tr>`,
    ),
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${info.title}</title></head>
<body><h1>${info.title}</h1>
<p>As Vexil ${info.version} speaks it. <a href="${base}/openapi.json">OpenAPI document</a> · <a href="/docs">Vexil's own API</a></p>
<table><thead><tr><th>Method</th><th>Path</th><th></th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></body></html>`;
}

import type { Request } from 'express';
import { HttpFault } from './http.errors.js';

interface Layer {
  readonly route?: { readonly path: string; readonly methods?: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/**
 * What to say where no route answered: a path that exists with other methods is 405 and names them, any other is 404.
 * Said before a credential is looked at, for it says no more than the public API document.
 */
export function unknownRoute(request: Request): HttpFault {
  const { stack } = (request.app as unknown as { router: { stack: readonly Layer[] } }).router;
  const allowed = new Set<string>();
  for (const layer of stack) {
    if (!layer.route || layer.route.path.includes('*') || !layer.match(request.path)) continue;
    for (const method of Object.keys(layer.route.methods ?? {})) allowed.add(method.toUpperCase());
  }
  if (allowed.has('GET')) allowed.add('HEAD');
  return allowed.size > 0
    ? new HttpFault(405, 'method_not_allowed', `${request.method} is not possible here.`, {
        Allow: [...allowed].sort().join(', '),
      })
    : new HttpFault(404, 'route_not_found', 'There is nothing at this path. The API is described at /docs.');
}

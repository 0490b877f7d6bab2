import type { NestExpressApplication } from '@nestjs/platform-express';

interface Layer {
  readonly slash: boolean;
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

const layersOf = (app: NestExpressApplication): readonly Layer[] =>
  (app.getHttpAdapter().getInstance() as unknown as { router: { stack: readonly Layer[] } }).router.stack;

/** Every route that the router knows, as `GET /flags/:key`: those of controllers, and any other. */
export function routesOf(app: NestExpressApplication): string[] {
  const routes = layersOf(app).flatMap(({ route }) =>
    route
      ? Object.keys(route.methods)
          .filter((method) => route.methods[method])
          .map((method) => `${method.toUpperCase()} ${route.path}`)
      : [],
  );
  return [...new Set(routes)];
}

/** How many handlers answer below some path without being a route, and how many of them one of `paths` reaches. */
export function mountsOf(app: NestExpressApplication, paths: readonly string[]) {
  const mounts = layersOf(app).filter(({ route, slash }) => !route && !slash);
  return {
    all: mounts.length,
    known: mounts.filter((layer) => paths.some((path) => layer.match(`${path}/x`))).length,
  };
}

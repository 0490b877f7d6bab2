// Who may import whom. `npm run deps` checks it; `npm run deps:prove` shows that every rule can fail.
// Do not add `includeOnly` (it hides Node built-ins) or a bare `exclude: 'dist'` (it hides node_modules/*/dist).

/** From the top: a feature may import those below it, never one above. A new feature is a word here. */
const features = [
  'compat',
  'transfer',
  'operations',
  'activity',
  'usage',
  'ofrep',
  'stream',
  'evaluation',
  'flags',
  'segments',
  'api-keys',
  'environments',
  'auth',
  'audit',
];
const above = (feature) => features.slice(0, features.indexOf(feature)).join('|');

/** What node or a worker starts by itself; everything else in src must be reachable from here. */
const entries =
  '^src/(main|commands/(export|import|make-admin|migrate|print-configuration|print-openapi|seed))\\.ts$';

const rule = (name, comment, from, to, more = {}) => ({
  name,
  severity: 'error',
  comment,
  from,
  to,
  ...more,
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    rule(
      'no-circular',
      'Two files that need each other are one file, or miss a third.',
      {},
      { circular: true },
    ),
    rule(
      'no-folder-cycles',
      'Two folders that need each other are one feature, or miss a vocabulary below both.',
      { path: '^src' },
      { circular: true },
      { scope: 'folder' },
    ),

    rule(
      'core-is-pure',
      'The evaluation core runs wherever a decision is made. It imports only itself, not even node:.',
      { path: '^src/core/' },
      { pathNot: '^src/core/' },
    ),
    rule(
      'core-by-the-door',
      'Outside src/core, import src/core/index only. (Its own tests and benchmarks may look inside.)',
      { path: '^src/', pathNot: '^src/core/' },
      { path: '^src/core/', pathNot: '^src/core/index\\.ts$' },
    ),
    rule(
      'platform-knows-no-feature',
      'Platform would serve any Nest service. A feature named in it belongs in the feature.',
      { path: '^src/platform/' },
      { path: `^src/(${features.join('|')})/` },
    ),
    rule(
      'platform-knows-no-core',
      'What a flag means is not a matter of databases, caches and HTTP.',
      { path: '^src/platform/' },
      { path: '^src/core/' },
    ),
    ...features
      .slice(1)
      .map((feature) =>
        rule(
          `${feature}-looks-down`,
          `${feature} may not import ${above(feature)}.`,
          { path: `^src/${feature}/` },
          { path: `^src/(${above(feature)})/` },
        ),
      ),
    rule(
      'compat-by-the-module',
      'The dialects of other systems can be taken away as one folder and one line of app.module.',
      { path: '^src/', pathNot: '^src/(compat/|app\\.module\\.ts$)' },
      { path: '^src/compat/' },
    ),
    rule(
      'composition-is-on-top',
      'The files directly in src put the parts together; no part knows of them.',
      { path: '^src/[^/]+/', pathNot: '^src/commands/' },
      { path: '^src/[^/]+\\.ts$' },
    ),
    rule(
      'commands-are-entries',
      'A command is started, not imported. What two of them need is in src/commands; what the service needs too is in a feature.',
      { path: '^src/', pathNot: '^src/commands/' },
      { path: '^src/commands/' },
    ),

    rule(
      'feature-internals',
      'Across features import a service, reader, module, event, error or type; never a repository, entity, controller, mapper or dto.',
      { path: '^src/([^/]+)/' },
      {
        path: ['^src/[^/]+/.*\\.(repository|entity|controller|mapper)\\.ts$', '^src/[^/]+/dto/'],
        pathNot: '^src/$1/',
      },
    ),
    rule(
      'controllers-are-thin',
      'A controller talks to a service or a reader.',
      { path: '\\.controller\\.ts$' },
      { path: '\\.(repository|entity)\\.ts$' },
    ),
    rule(
      'services-know-no-http',
      'Services, readers and repositories never see requests, responses or dtos.',
      { path: '^src/.*\\.(service|reader|repository)\\.ts$' },
      {
        path: '(\\.controller\\.ts$|/dto/|^src/platform/http/|node_modules/(@types/)?express|node_modules/@nestjs/platform-express/)',
      },
    ),
    rule(
      'database-in-repositories',
      'typeorm and pg are spoken in repositories, readers, entities, modules and src/platform/database.',
      { path: '^src/', pathNot: '(\\.(repository|reader|entity|module)\\.ts$|^src/platform/database/)' },
      { path: 'node_modules/(typeorm|pg|@types/pg|@electric-sql/pglite)/' },
    ),
    rule(
      'cache-in-platform',
      'Redis and cache-manager are spoken in src/platform/cache, where a dead one is a miss.',
      { path: '^src/', pathNot: '^src/platform/cache/' },
      { path: 'node_modules/(redis|@redis|keyv|cache-manager|cache-manager-redis-yet)/' },
    ),

    rule(
      'sdk-by-the-doors',
      'The SDK reaches the service in two lines: the core in sdk/src/core.ts, the pattern engine in sdk/src/patterns.ts.',
      { path: '^sdk/', pathNot: '^sdk/src/(core|patterns)\\.ts$' },
      { path: '^(src|migrations)/' },
    ),
    rule(
      'sdk-doors-are-narrow',
      'sdk/src/core.ts opens on src/core/index and sdk/src/patterns.ts on the pattern engine, and on nothing else.',
      { path: '^sdk/src/(core|patterns)\\.ts$' },
      { pathNot: '^src/(core/index|platform/patterns/linear-patterns)\\.ts$' },
    ),
    rule(
      'sdk-has-no-dependencies',
      "Whoever installs the SDK installs nothing else; OpenFeature's SDKs are the user's own.",
      { path: '^sdk/src/' },
      { path: 'node_modules/', pathNot: 'node_modules/@openfeature/' },
    ),
    rule(
      'sdk-browser-is-light',
      'What runs in a page has no rules and no evaluation.',
      { path: '^sdk/src/browser/' },
      { path: '^sdk/src/(patterns\\.ts$|server/)' },
    ),
    rule(
      'sdk-browser-has-no-node',
      'A page has no Node built-ins.',
      { path: '^sdk/src/browser/' },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'sdk-browser-decides-nothing',
      'Types of the core are gone by then; its code would come along.',
      { path: '^sdk/src/browser/' },
      { path: '^sdk/src/core\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'service-knows-no-sdk',
      'The SDK is made from the service, never the other way round.',
      { path: '^(src|migrations)/' },
      { path: '^sdk/' },
    ),

    rule(
      'migrations-stand-alone',
      'A migration must mean the same next year: plain SQL, no imports from src.',
      { path: '^migrations/' },
      { path: '^src/' },
    ),
    rule(
      'migrations-by-the-schema',
      'src/schema.ts hands them out; nothing else in src knows them.',
      { path: '^src/', pathNot: '^src/schema\\.ts$' },
      { path: '^migrations/' },
    ),
    rule(
      'ships-no-tests',
      'What ships never needs what proves it.',
      { path: '^(src|migrations|sdk/src)/' },
      { path: '^(test|bench|scripts)/' },
    ),
    rule(
      'ships-what-it-declares',
      'A package that runs in production is one of our dependencies, not a development one or a guest of another. (Types are gone by then.)',
      { path: '^(src|migrations)/' },
      {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule(
      'scripts-use-the-build',
      'Scripts run as they are, without a compiler: they start what is in dist.',
      { path: '^scripts/' },
      { path: '^(src|test|bench|migrations)/' },
    ),
    rule(
      'dashboard-asks-the-core-by-its-door',
      'The dashboard shares the core with the service, by its door, and nothing else.',
      { path: '^static/' },
      { path: '^(src|test|bench|migrations|scripts)/', pathNot: '^src/core/index\\.ts$' },
    ),
    rule(
      'only-the-api-folder-asks',
      'Views and widgets show, state decides, and only static/src/api speaks HTTP.',
      { path: '^static/src/', pathNot: '^static/src/api/' },
      {
        path: ['node_modules/openapi-fetch/', '^static/src/api/client\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule(
      'api-knows-no-screen',
      'Data flows one way: api, state, widgets, views.',
      { path: '^static/src/api/' },
      { path: '^static/src/(state|widgets|views)/' },
    ),
    rule(
      'state-knows-no-screen',
      'Data flows one way: api, state, widgets, views.',
      { path: '^static/src/state/' },
      { path: '^static/src/(widgets|views)/' },
    ),
    rule(
      'widgets-know-no-view',
      'A widget is for any view.',
      { path: '^static/src/widgets/' },
      { path: '^static/src/views/' },
    ),
    rule(
      'ships-no-dashboard',
      'The service sends the built dashboard, and imports none of it.',
      { path: '^(src|migrations)/' },
      { path: '^static/' },
    ),
    rule(
      'not-to-unresolvable',
      'An import that resolves to nothing also escapes every other rule. (k6 brings its own modules.)',
      {},
      { couldNotResolve: true, pathNot: '^k6(/|$)' },
    ),
    rule(
      'no-dead-files',
      'A file that no entry point reaches is dead, or is an entry point to be listed at the top.',
      { path: entries },
      { path: '^src/', pathNot: entries, reachable: false },
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
  },
};

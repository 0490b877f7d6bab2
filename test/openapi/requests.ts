/** Requests for an operation of the document, from right to hostile. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { anyText } from '../support/arbitraries.js';
import type { Sent } from '../support/send.js';
import type { ApiDocument, Json, Parameter, Route } from './document.js';

export const CALLERS = ['anonymous', 'viewer', 'developer', 'admin'] as const;
export type Caller = (typeof CALLERS)[number];

/** A request, and whose token goes with it. */
export type Attempt = Sent & { readonly caller: Caller };

/** Values that exist, by the name of a field, so that requests get further than to a 404. */
export type Known = (route: Route, name: string) => readonly string[] | undefined;

const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];

const hostileText = (): fc.Arbitrary<string> =>
  fc.oneof(
    anyText(),
    fc.constantFrom(
      ...PROTOTYPE_NAMES,
      "' OR 1=1; --",
      '../../etc/passwd',
      '{{7*7}}',
      '${7*7}',
      'a\r\nSet-Cookie: a=b',
      '\0',
      'a\0b',
      '\ud800',
      'a\udfffb',
      '\u202e\u200b\ufeff',
      'ﷺ'.repeat(50),
      '🏳️‍🌈',
      'İ',
      'ß',
      '*',
      '%',
      '_',
      '\\',
      ' ',
      'null',
      'undefined',
      'NaN',
      '-1',
      '1e999',
    ),
    fc.integer({ min: 1, max: 3000 }).map((length) => 'x'.repeat(length)),
  );

const hostileNumber = (): fc.Arbitrary<number> =>
  fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, -1, 0.001, 0.005, 99.999, 100.01, 2 ** 31, 2 ** 53, 2 ** 63, 1e21, 1e308, 5e-324),
  );

const hostileJson = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    hostileText(),
    hostileNumber(),
    fc.boolean(),
    fc.constant(null),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      [],
      {},
      [[]],
      [null],
      { '': '' },
      { length: -1 },
      { toString: null, valueOf: 1 },
    ),
    fc.constantFrom(...PROTOTYPE_NAMES).map((name) => Object.fromEntries([[name, { polluted: true }]])),
    fc.integer({ min: 2, max: 40 }).map((depth) => nested(depth)),
  );

const nested = (depth: number): unknown =>
  depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };

/** What a schema allows, its limits among them. */
export class Requests {
  /** References being followed, from the outermost. */
  private readonly within: string[] = [];

  constructor(
    private readonly document: ApiDocument,
    private readonly known: Known,
  ) {}

  of(route: Route): fc.Arbitrary<Attempt> {
    const { parameters = [], requestBody } = route.operation;
    const named = (place: string) => parameters.filter((parameter) => parameter.in === place);
    const schema = requestBody && Object.values(requestBody.content)[0]?.schema;
    return fc
      .record({
        caller: fc.oneof({ weight: 3, arbitrary: fc.constant<Caller>('admin') }, fc.constantFrom(...CALLERS)),
        path: this.path(route, named('path')),
        query: this.query(route, named('query')),
        headers: headers(named('header').map(({ name }) => name)),
        content: schema
          ? this.content(route, schema)
          : rare(this.content(route, {}), { headers: {}, body: undefined }),
      })
      .map(({ caller, path, query, headers: own, content }) => ({
        caller,
        method: route.method,
        path: path + query,
        headers: { ...content.headers, ...own },
        body: content.body,
      }));
  }

  private path(route: Route, parameters: readonly Parameter[]): fc.Arbitrary<string> {
    const values = parameters.map(({ name, schema }) => {
      const right = this.valid(route, schema, name).map((value) => encoded(String(value)));
      const tricks = fc.constantFrom(
        '..',
        '.',
        '%2e%2e',
        '%2F',
        '%00',
        '%zz',
        '%',
        '%E0%A4%A',
        '%ED%A0%80',
        '__proto__',
        '*',
        '+',
        ';a=b',
        'a%20b',
        'A'.repeat(2000),
      );
      const value = fc.oneof({ weight: 8, arbitrary: right }, hostileText().map(encoded), tricks);
      return value.map((text): [string, string] => [name, text === '' ? '%20' : text]);
    });
    return fc
      .tuple(...values)
      .map((pairs) =>
        pairs.reduce((text, [name, value]) => text.replace(`{${name}}`, () => value), route.path),
      );
  }

  private query(route: Route, parameters: readonly Parameter[]): fc.Arbitrary<string> {
    const pairs = parameters.map(({ name, schema, required }) => {
      const right = this.valid(route, schema, name).map(String);
      const blemished = fc.tuple(right, fc.nat()).map(([text, choice]) => text + blemishOf(choice));
      const value = fc.oneof({ weight: 8, arbitrary: right }, hostileText(), blemished);
      const pair = value.map((text) => [`${name}=${encoded(text)}`]);
      const twice = fc.tuple(right, value).map((both) => both.map((text) => `${name}=${encoded(text)}`));
      const present = fc.oneof({ weight: 20, arbitrary: pair }, twice);
      return fc.oneof({ weight: required === true ? 12 : 1, arbitrary: present }, fc.constant<string[]>([]));
    });
    const extra = rare(
      fc
        .oneof(
          fc.constantFrom(
            'a[b]=c',
            '__proto__[polluted]=1',
            'constructor.prototype.polluted=1',
            '&&&',
            '=',
            '%zz=%zz',
            '?',
            'a=%00',
            '%E0%A4%A=1',
          ),
          fc.tuple(hostileText(), hostileText()).map(([name, value]) => `${encoded(name)}=${encoded(value)}`),
        )
        .map((text) => [text]),
      [],
      12,
    );
    return fc
      .tuple(...pairs, extra)
      .map((all) => (all.flat().length === 0 ? '' : `?${all.flat().join('&')}`));
  }

  private content(
    route: Route,
    schema: Json,
  ): fc.Arbitrary<{ headers: Record<string, string>; body: Buffer | string | undefined }> {
    const right = fc.oneof(this.valid(route, schema, ''), {
      weight: 2,
      arbitrary: this.likeExample(route, schema),
    });
    const json = fc.oneof(
      { weight: 10, arbitrary: right.map((value) => JSON.stringify(value)) },
      { weight: 6, arbitrary: fc.tuple(right, hostileJson(), fc.nat(), hostileText()).map(mutated) },
      { weight: 1, arbitrary: hostileJson().map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: right.chain((value) => malformed(JSON.stringify(value))) },
    );
    const asJson = { 'Content-Type': 'application/json' };
    return fc.oneof(
      { weight: 16, arbitrary: json.map((body) => ({ headers: asJson, body })) },
      { weight: 1, arbitrary: fc.constant({ headers: {}, body: undefined }) },
      { weight: 1, arbitrary: fc.constant({ headers: asJson, body: '' }) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            json,
            fc.constantFrom(
              'text/plain',
              'application/xml',
              'multipart/form-data',
              'application/x-www-form-urlencoded',
              'application/problem+json',
              'application/json; charset=utf-16',
              'application/json; charset=latin1',
              'application/json; charset="',
              'json',
              '*/*',
              '',
            ),
          )
          .map(([body, type]) => ({ headers: { 'Content-Type': type }, body })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            json,
            fc.constantFrom('gzip', 'deflate', 'br', 'identity', 'zstd', 'gzip, gzip', ''),
            fc.boolean(),
          )
          .map(([body, encoding, isTrue]) => ({
            headers: { ...asJson, 'Content-Encoding': encoding },
            body: isTrue ? gzipSync(body) : body,
          })),
      },
    );
  }

  /** As `validAt`, but where a schema holds itself for the third time: then its example. */
  private valid(route: Route, unresolved: Json, name: string): fc.Arbitrary<unknown> {
    const reference = unresolved['$ref'];
    if (typeof reference !== 'string') return this.validAt(route, unresolved, name);
    if (this.within.filter((outer) => outer === reference).length > 1)
      return fc.constant(this.document.resolve(unresolved)['example']);
    this.within.push(reference);
    const value = this.validAt(route, unresolved, name);
    this.within.pop();
    return value;
  }

  /** A value as the schema wants it; most texts under a known name are ones that exist. */
  private validAt(route: Route, unresolved: Json, name: string): fc.Arbitrary<unknown> {
    const schema = this.document.resolve(unresolved);
    if (schema['enum']) return fc.constantFrom(...(schema['enum'] as unknown[]));
    if (schema['anyOf'])
      return fc.oneof(...(schema['anyOf'] as Json[]).map((choice) => this.valid(route, choice, name)));
    const types = [schema['type']].flat();
    if (types.length > 1)
      return fc.oneof(...types.map((type) => this.valid(route, { ...schema, type }, name)));
    switch (types[0]) {
      case 'object':
        return this.object(route, schema);
      case 'array': {
        const {
          minItems = 0,
          maxItems = 5,
          items = {},
        } = schema as { minItems?: number; maxItems?: number; items?: Json };
        return fc.array(this.valid(route, items, name), {
          minLength: minItems,
          maxLength: Math.min(maxItems, 4),
        });
      }
      case 'string':
        return this.text(route, schema, name);
      case 'integer':
      case 'number':
        return numbers(schema);
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      default:
        return hostileJson();
    }
  }

  private object(route: Route, schema: Json): fc.Arbitrary<unknown> {
    const { properties = {}, required = [] } = schema as {
      properties?: Record<string, Json>;
      required?: string[];
    };
    if (Object.keys(properties).length === 0)
      return fc.oneof(
        fc.constantFrom<object>(
          {},
          { user_id: 'alice', plan: 'pro' },
          { targetingKey: 'bob' },
          { user_id: 7 },
        ),
        fc.dictionary(hostileText(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }),
      );
    const fields = Object.entries(properties).map(([name, property]) => {
      const value = this.valid(route, property, name).map((item): [string, unknown][] => [[name, item]]);
      return required.includes(name)
        ? value
        : fc.oneof(value, fc.constant<[string, unknown][]>([]), fc.constant<[string, unknown][]>([]));
    });
    return fc.tuple(...fields).map((entries) => Object.fromEntries(entries.flat()));
  }

  /** The example of a schema with some of its fields changed: what makes sense gets further. */
  private likeExample(route: Route, unresolved: Json): fc.Arbitrary<unknown> {
    const schema = this.document.resolve(unresolved);
    const { example = {}, properties = {} } = schema as { example?: Json; properties?: Record<string, Json> };
    const fields = Object.entries(properties).map(([name, property]) => {
      const value = this.valid(route, property, name).map((item): [string, unknown][] => [[name, item]]);
      const isKnown = this.known(route, name) !== undefined;
      return fc.oneof(
        { weight: isKnown ? 4 : 1, arbitrary: value },
        { weight: 6, arbitrary: fc.constant([]) },
      );
    });
    return fc.tuple(...fields).map((changes) => ({ ...example, ...Object.fromEntries(changes.flat()) }));
  }

  private text(route: Route, schema: Json, name: string): fc.Arbitrary<string> {
    const {
      minLength = 0,
      maxLength = 60,
      pattern,
      format,
    } = schema as { minLength?: number; maxLength?: number; pattern?: string; format?: string };
    const known = this.known(route, name);
    const made =
      format === 'uuid'
        ? fc.uuid()
        : format === 'date-time'
          ? fc
              .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
              .map((date) => date.toISOString())
          : format === 'email'
            ? fc.oneof(
                { weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9]{3,9}@example\.(com|org)$/) },
                fc.emailAddress(),
              )
            : pattern === undefined
              ? fc.oneof(
                  fc.string({ unit: 'grapheme-ascii', minLength, maxLength: Math.min(maxLength, 40) }),
                  fc.constantFrom(minLength, maxLength).map((length) => 'y'.repeat(Math.min(length, 2000))),
                )
              : fc.stringMatching(new RegExp(pattern));
    return known === undefined ? made : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, made);
  }
}

function numbers({ minimum = -1e6, maximum = 1e6, type }: Json): fc.Arbitrary<number> {
  const [min, max] = [minimum as number, maximum as number];
  const edges = fc.constantFrom(min, max, min - 1, max + 1, min + 0.01, max - 0.01);
  const inside =
    type === 'integer'
      ? fc.integer({ min, max })
      : fc.integer({ min: min * 100, max: max * 100 }).map((n) => n / 100);
  return fc.oneof({ weight: 5, arbitrary: inside }, edges);
}

const BLEMISHES = ['\0', '\ud800', '\udc00', '\u202e', '🏳️‍🌈', "'", '\\', '%', '\n', ' '];
const blemishOf = (choice: number): string => BLEMISHES[Math.floor(choice / 8) % BLEMISHES.length] ?? '';

/** A right body with one thing wrong, as JSON text. */
function mutated([right, wrong, choice, name]: [unknown, unknown, number, string]): string {
  const text = JSON.stringify(right);
  const copy = JSON.parse(text) as unknown;
  const places: { holder: Json; key: string }[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push({ holder: node as Json, key });
      visit((node as Json)[key]);
    }
  };
  visit(copy);
  const place = places[choice % Math.max(places.length, 1)];
  if (!place) return JSON.stringify(wrong);
  const { holder, key } = place;
  switch (choice % 8) {
    case 0:
      Reflect.deleteProperty(holder, key);
      break;
    case 1:
      Object.defineProperty(holder, name, {
        value: wrong,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      break;
    case 2:
      // Twice the same name, which JSON.stringify cannot say.
      return text.replace('{', () => `{${JSON.stringify(key)}:${JSON.stringify(wrong)},`);
    case 3:
      return text.replace(/:(-?\d+(\.\d+)?|"[^"\\]*")/, () => ':1e999');
    case 4:
    case 5: {
      // Right but for one character.
      const texts = places.filter((item) => typeof item.holder[item.key] === 'string');
      const chosen = texts[choice % Math.max(texts.length, 1)];
      if (chosen) chosen.holder[chosen.key] = `${String(chosen.holder[chosen.key])}${blemishOf(choice)}`;
      break;
    }
    default:
      holder[key] = wrong;
  }
  return JSON.stringify(copy);
}

const malformed = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.nat({ max: text.length }).map((end) => text.slice(0, end)),
    fc.constantFrom(
      `${text}}`,
      `${text}${text}`,
      `\ufeff${text}`,
      text.replaceAll('"', "'"),
      '{',
      '"',
      'NaN',
      '{"a":1,}',
      '{"__proto__":{"polluted":true}}',
      '{"constructor":{"prototype":{"polluted":true}}}',
      '['.repeat(5000),
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      `{"a":${'9'.repeat(400)}}`,
      `{"a":"${'x'.repeat(70_000)}"}`,
      `[${'0,'.repeat(60_000)}0]`,
      '"\\ud800"',
      '\0',
    ),
    fc
      .constantFrom(0, 1)
      .map((size) => (size === 0 ? '{"a":"\\u0000"}' : `{"a":"${'x'.repeat(1_100_000)}"}`)),
  );

function headers(honoured: readonly string[]): fc.Arbitrary<Record<string, string>> {
  const tag = fc.constantFrom(
    '"1"',
    '"2"',
    '"3"',
    '*',
    'W/"1"',
    '1',
    '"1", "2"',
    '',
    'garbage',
    '"999999999999999999999"',
    '"-1"',
    '"',
    ',',
    "'1'",
    '"\u00ff"',
  );
  const entries = [
    ...honoured.map((name) =>
      rare(
        tag.map((value) => [[name, value]]),
        [],
        2,
      ),
    ),
    rare(
      fc
        .constantFrom('', '*/*', 'text/html', 'application/xml', 'application/json;q=x', ',')
        .map((value) => [['Accept', value]]),
      [],
      10,
    ),
    rare(
      fc
        .constantFrom('me', 'x'.repeat(500), '\u00e9', '"', '{}', 'a b')
        .map((value) => [['X-Request-Id', value]]),
      [],
      10,
    ),
    rare(
      fc.constantFrom('null', 'https://evil.example', '*').map((value) => [['Origin', value]]),
      [],
      20,
    ),
    rare(
      fc
        .constantFrom(
          'Bearer',
          'Bearer x.y.z',
          'Basic Og==',
          'bearer  ',
          `Bearer ${'x'.repeat(6000)}`,
          `Bearer vx_server_00000000_${'0'.repeat(43)}`,
          '\u00ff',
        )
        .map((value) => [['Authorization', value]]),
      [],
      12,
    ),
    rare(
      fc
        .constantFrom(`vx_client_00000000_${'0'.repeat(43)}`, 'vx_', '\u00ff', 'x'.repeat(6000))
        .map((value) => [['X-API-Key', value]]),
      [],
      20,
    ),
    rare(
      fc.constantFrom('127.0.0.1', "' OR 1=1", ',,,').map((value) => [['X-Forwarded-For', value]]),
      [],
      20,
    ),
    rare(
      fc.constantFrom('100-continue', 'the-unexpected').map((value) => [['Expect', value]]),
      [],
      60,
    ),
  ];
  return fc.tuple(...entries).map((all) => Object.fromEntries(all.flat()) as Record<string, string>);
}

/** Anything at all, at any path: what no operation describes. */
export const strayRequests = (routes: readonly Route[]): fc.Arbitrary<Attempt> =>
  fc.record({
    caller: fc.constantFrom(...CALLERS),
    method: fc.constantFrom(
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'SEARCH',
    ),
    path: fc.oneof(
      fc.constantFrom(...routes.map(({ path }) => path)),
      fc
        .tuple(
          fc.constantFrom(...routes.map(({ path }) => path.replace(/\{\w+\}/, 'x'))),
          fc.constantFrom('/', '//', '/x', '/..', '%00', '%zz', '?', '#', ';x', '/%2e%2e/%2e%2e', '.json'),
        )
        .map((parts) => parts.join('')),
      hostileText().map((text) => `/${encoded(text)}`),
      fc.constantFrom(
        '/',
        '//',
        '/%',
        '/%2F',
        '/..',
        '/../..',
        '/docs',
        '/docs/',
        '/docs/..%2f..%2fpackage.json',
        '/docs/%00',
        '/assets/%00',
        '/assets/../index.html',
        '/assets/%2e%2e%2findex.html',
        '/openapi.json/',
        '*',
        'http://evil.example/flags',
      ),
    ),
    headers: headers(['If-Match']),
    body: fc.constantFrom(undefined, undefined, '{}', 'x', '{"a":'),
  });

/** Percent-encodes anything, halves of surrogate pairs too, which then are no UTF-8. */
function encoded(text: string): string {
  return text.isWellFormed()
    ? encodeURIComponent(text)
    : Array.from(text, (unit) => (unit.isWellFormed() ? encodeURIComponent(unit) : '%ED%A0%80')).join('');
}

const rare = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T, oneIn = 20): fc.Arbitrary<T> =>
  fc.oneof({ weight: 1, arbitrary }, { weight: oneIn - 1, arbitrary: fc.constant(otherwise) });

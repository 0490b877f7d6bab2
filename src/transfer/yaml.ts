import { isNode, isScalar, LineCounter, parseDocument, Parser, visit, type CST, type Document } from 'yaml';

/** Why a text is no YAML that is read here; says the line. */
export class NoYaml extends Error {}

/** Reading YAML takes some hundred times as long as reading JSON. */
const MOST_CHARACTERS = 8 * 1024 * 1024;
/** How often an anchor may be referred to, those within it counted again each time: a few lines can stand for billions. */
const MOST_ALIASES = 1_000;
/** Deeper, composing would use up the stack, and take the process with it where V8 compiles a pattern just then. */
const MOST_DEPTH = 100;

/**
 * Reads one YAML 1.2 document into what JSON can say: no types of its own, keys are texts (`on` too), `<<` is merged.
 * @throws NoYaml
 */
export function readYaml(text: string): unknown {
  if (text.length > MOST_CHARACTERS) throw new NoYaml('has more than 8 MB, which is too much for YAML');
  if (isTooDeep(new Parser().parse(text))) throw new NoYaml('is nested too deeply');
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: 'core',
    merge: true,
    stringKeys: true,
    // Compares each key with each other one; ours remembers them.
    uniqueKeys: false,
    lineCounter: lines,
    logLevel: 'error',
  });
  // A warning is a tag that nobody knows: what is meant by it would be lost.
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new NoYaml(`is no YAML: ${firstLine(problem.message)}`);
  refuseDoubles(document, lines);
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown;
  } catch (error) {
    throw new NoYaml(`is no YAML: ${error instanceof Error ? firstLine(error.message) : 'unknown'}`);
  }
}

/** Looks at what is read before anything is made of it. Keeps no stack of calls itself. */
function isTooDeep(tokens: Iterable<CST.Token>): boolean {
  const left = Array.from(tokens, (token) => ({ token, depth: 0 }));
  for (let next = left.pop(); next; next = left.pop()) {
    const { token, depth } = next;
    if (depth > MOST_DEPTH) return true;
    const items = 'items' in token ? token.items : 'value' in token ? [{ value: token.value }] : [];
    for (const { key, value } of items as { key?: unknown; value?: unknown }[])
      for (const inner of [key, value])
        if (typeof inner === 'object' && inner !== null)
          left.push({ token: inner as CST.Token, depth: depth + 1 });
  }
  return false;
}

/** Keys that are there twice, and aliases of what is not there or not finished yet. @throws NoYaml */
function refuseDoubles(document: Document.Parsed, lines: LineCounter): void {
  const fail = (what: string, node: unknown): never => {
    const { line, col } = lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0);
    throw new NoYaml(`is no YAML: ${what} at line ${line}, column ${col}`);
  };
  const anchors = new Set<string>();
  visit(document, {
    Value(_, { anchor }) {
      if (anchor !== undefined) anchors.add(anchor);
    },
    Map(_, { anchor, items }) {
      if (anchor !== undefined) anchors.add(anchor);
      const keys = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : undefined;
        if (name !== undefined && name !== '<<' && keys.has(name))
          fail(`the key ${JSON.stringify(name)} is there twice`, key);
        keys.add(name);
      }
    },
    Alias(_, node, path) {
      if (!anchors.has(node.source)) fail(`there is no anchor '${node.source}' before it`, node);
      if (path.some((above) => isNode(above) && 'anchor' in above && above.anchor === node.source))
        fail(`'${node.source}' is within itself`, node);
    },
  });
}

/** What follows shows the place once more. */
const firstLine = (message: string): string => (message.split('\n', 1)[0] ?? '').replace(/:$/, '');

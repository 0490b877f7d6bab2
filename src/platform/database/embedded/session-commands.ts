/** Commands that change more than the transaction they run in, as far as several sessions on one backend must know. */
export type SessionCommand =
  | { readonly kind: 'listen'; readonly channel: string }
  | { readonly kind: 'unlisten'; readonly channel: string }
  | { readonly kind: 'unlisten all' }
  | { readonly kind: 'savepoint'; readonly name: string }
  | { readonly kind: 'rollback to'; readonly name: string }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'copy in' };

/** Most statements are none of these; only what this lets through is taken apart. */
const MAYBE = /\b(?:listen|unlisten|discard|savepoint|rollback|abort|commit|end|stdin)\b/i;

/** A comment, a string of either kind, a dollar-quoted body, a quoted name, a word, or one other character. */
const TOKEN =
  /--[^\n]*|\/\*[^]*?\*\/|\be'(?:[^'\\]|''|\\[^])*'|'(?:[^']|'')*'|\$(\w*)\$[^]*?\$\1\$|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|\S/giu;

/**
 * The session commands in an SQL text of one or more statements, in order. What stands in strings, comments and
 * function bodies does not count.
 */
export function sessionCommands(sql: string): SessionCommand[] {
  if (!MAYBE.test(sql)) return [];
  const commands: SessionCommand[] = [];
  let statement: string[] = [];
  const finish = () => {
    const command = sessionCommand(statement);
    if (command) commands.push(command);
    statement = [];
  };
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === ';') finish();
    else if (!token.startsWith('--') && !token.startsWith('/*')) statement.push(token);
  }
  finish();
  return commands;
}

function sessionCommand(tokens: readonly string[]): SessionCommand | undefined {
  const [verb, next = ''] = tokens.map((token) => token.toLowerCase());
  switch (verb) {
    case 'listen':
      return { kind: 'listen', channel: nameOf(tokens[1]) };
    case 'unlisten':
      return next === '*' ? { kind: 'unlisten all' } : { kind: 'unlisten', channel: nameOf(tokens[1]) };
    case 'discard':
      return next === 'all' ? { kind: 'unlisten all' } : undefined;
    case 'savepoint':
      return { kind: 'savepoint', name: nameOf(tokens[1]) };
    case 'rollback':
    case 'abort':
      if (tokens.some((token) => token.toLowerCase() === 'to'))
        return { kind: 'rollback to', name: nameOf(tokens.at(-1)) };
      return { kind: 'rollback' };
    case 'commit':
    case 'end':
      return { kind: 'commit' };
    case 'copy':
      return tokens.some((token, at) => /^stdin$/i.test(token) && /^from$/i.test(tokens[at - 1] ?? ''))
        ? { kind: 'copy in' }
        : undefined;
    case undefined:
    default:
      return undefined;
  }
}

/** A name as Postgres stores it: quoted as written, otherwise in lower case. */
function nameOf(token = ''): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token.toLowerCase();
}

/** A name as it can stand in a statement. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `vexil-codegen`: what it is asked, what it does, and how it ends. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { baseUrlFlaw } from '../http.js';
import { isVisibleAscii, MUST_BE_VISIBLE } from '../option-flaws.js';
import { flagTypesOf } from './flag-types.js';
import { fetchRuleset, readRuleset } from './read-ruleset.js';
import { CLIENTS, writeFlags, type ClientKind } from './write-flags.js';

export const USAGE = `Writes TypeScript types and accessors for the flags of an environment.

  vexil-codegen --url <service> --environment <key> --out <file>
  vexil-codegen --from <ruleset.json> --out <file>

  --url <service>        where the service is: https://flags.example.com
  --api-key <key>        a server key, an admin key or a token; better in VEXIL_API_KEY
  --environment <key>    whose flags; with a server key of one environment that one
  --from <file>          a saved answer of GET /ruleset, instead of the service
  --out <file>           what to write
  --client <kind>        which client the accessors ask: server (unless said otherwise), remote, browser
  --check                write nothing; exit 1 when the file is not what would be written
  --help
`;

/** Where a run reads and writes; the process's own, unless a test says otherwise. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
}

/** How it ended: done (0), not done or out of date (1), asked wrongly (2). */
export type ExitCode = 0 | 1 | 2;

interface Order {
  readonly load: () => Promise<unknown>;
  readonly from: string;
  readonly out: string;
  readonly client: ClientKind;
  readonly isCheck: boolean;
}

export async function runCommand(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const order = orderOf(args, terminal.env);
  if (order === 'help') {
    terminal.out(USAGE);
    return 0;
  }
  if ('flaw' in order) {
    terminal.err(`vexil-codegen: ${order.flaw}\n\n${USAGE}`);
    return 2;
  }
  try {
    return await carryOut(order, terminal);
  } catch (error) {
    terminal.err(`vexil-codegen: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function orderOf(args: readonly string[], env: Terminal['env']): Order | 'help' | { readonly flaw: string } {
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    values = parseArgs({
      args: [...args],
      strict: true,
      options: {
        url: { type: 'string' },
        'api-key': { type: 'string' },
        environment: { type: 'string' },
        from: { type: 'string' },
        out: { type: 'string' },
        client: { type: 'string' },
        check: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return { flaw: (error as Error).message };
  }
  if (values['help'] === true) return 'help';
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [url, from, out, environment] = [text('url'), text('from'), text('out'), text('environment')];
  const client = CLIENTS.find((kind) => kind === (text('client') ?? 'server'));
  if (client === undefined) return { flaw: `--client must be one of ${CLIENTS.join(', ')}` };
  if (out === undefined) return { flaw: '--out is missing' };
  if ((url === undefined) === (from === undefined)) return { flaw: 'either --url or --from must be given' };
  const rest = { out, client, isCheck: values['check'] === true };
  if (from !== undefined) return { ...rest, from, load: () => readRuleset(from) };

  const flaw = baseUrlFlaw(url);
  if (url === undefined || flaw !== undefined) return { flaw: `--url ${flaw ?? ''}` };
  if (environment === undefined) return { flaw: '--environment is missing' };
  const apiKey = text('api-key') ?? env['VEXIL_API_KEY'];
  if (apiKey === undefined || apiKey === '') return { flaw: '--api-key or VEXIL_API_KEY is missing' };
  if (apiKey.startsWith('vx_client_')) {
    return { flaw: 'a client key may not know rules; use a server key or an admin key' };
  }
  if (!isVisibleAscii(apiKey)) return { flaw: `the API key ${MUST_BE_VISIBLE}` };
  return { ...rest, from: url, load: () => fetchRuleset({ url, apiKey, environment }) };
}

async function carryOut({ load, from, out, client, isCheck }: Order, terminal: Terminal): Promise<ExitCode> {
  const types = flagTypesOf(await load());
  if ('flaw' in types) throw new Error(`${from} gives no ruleset: ${types.flaw}`);
  const text = writeFlags(types, client);
  const present = await readFile(out, 'utf8').catch(() => undefined);
  const count = `${types.flags.length} flags of '${types.environment}'`;
  // Git may have given it the line ends of its machine; what is written has them escaped in every text.
  if (present?.replaceAll('\r\n', '\n') === text) {
    terminal.out(`${out} is up to date: ${count}\n`);
    return 0;
  }
  if (isCheck) {
    const what = present === undefined ? 'is missing' : 'is out of date';
    terminal.err(`vexil-codegen: ${out} ${what}; run it again without --check (${count})\n`);
    return 1;
  }
  await replace(out, text);
  terminal.out(`Wrote ${out}: ${count}\n`);
  return 0;
}

/** Whoever reads the file meanwhile reads the old one or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

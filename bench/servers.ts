/** Servers in processes of their own that the service is held against. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
}

export interface Start {
  readonly args: readonly string[];
  /** Finds the port in what the process has written so far; `undefined` until it is there. */
  readonly portIn: (said: string) => number | undefined;
  /** Given to its standard input. */
  readonly input?: string;
}

/** Starts a process and waits until it says its port. */
export async function startServer({ args, portIn, input }: Start): Promise<Server> {
  const child = spawn(process.execPath, args, { stdio: 'pipe' });
  child.stderr.pipe(process.stderr);
  child.stdin.end(input);
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${String(code)}: ${said}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      // What comes after the start is the log: read, so that the pipe never fills up, and forgotten.
      if (said.length > 100_000) return;
      said += chunk.toString();
      const found = portIn(said);
      if (found !== undefined) resolve(found);
    });
  });
  return { child, pid: child.pid ?? 0, port };
}

export async function stopServer({ child }: Pick<Server, 'child'>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

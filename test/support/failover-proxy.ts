import { createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/**
 * A load balancer in thirty lines: sends requests to instances whose /health/ready says 200, asks that several times a
 * second, and tries another instance when a connection is refused. It never repeats what an instance has taken.
 */
export class FailoverProxy {
  private readonly healthy = new Set<string>();
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly server: Server,
    private readonly instances: readonly string[],
  ) {}

  static async to(...instances: string[]): Promise<FailoverProxy> {
    const proxy: FailoverProxy = new FailoverProxy(
      createServer((incoming, outgoing) => proxy.forward(incoming.url ?? '/', outgoing, instances.length)),
      instances,
    );
    await proxy.probe();
    proxy.timer = setInterval(() => void proxy.probe(), 100);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    clearInterval(this.timer);
    this.server.closeAllConnections();
    this.server.close();
  }

  private async probe(): Promise<void> {
    for (const instance of this.instances) {
      const isReady = await fetch(`${instance}/health/ready`).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (isReady) this.healthy.add(instance);
      else this.healthy.delete(instance);
    }
  }

  private forward(path: string, outgoing: import('node:http').ServerResponse, attempts: number): void {
    const candidates = [...this.healthy];
    const instance = candidates[(this.turn += 1) % Math.max(1, candidates.length)];
    if (instance === undefined || attempts === 0) {
      outgoing.writeHead(502).end();
      return;
    }
    const forwarded = request(new URL(path, instance), (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, {
        'content-type': answer.headers['content-type'] ?? 'text/plain',
      });
      answer.pipe(outgoing);
    });
    forwarded.on('error', (error: NodeJS.ErrnoException) => {
      this.healthy.delete(instance);
      if (error.code === 'ECONNREFUSED') this.forward(path, outgoing, attempts - 1);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(String(error));
    });
    forwarded.end();
  }
}

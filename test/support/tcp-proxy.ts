import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What the network does with bytes: carries them; keeps those of one direction, or of both, as when packets are lost; or hangs up. */
type Weather = 'clear' | 'black hole' | 'no answers' | 'no questions' | 'cut';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  isForgotten: boolean;
}

/** What becomes of connections that were there before it healed: what is held back comes late, as it does over TCP; or a firewall on the way has forgotten them, and says so or drops what comes. */
type Aftermath = 'resumed' | 'reset' | 'forgotten';

/** The network between an instance and a store, for tests that need it bad. */
export class TcpProxy {
  private weather: Weather = 'clear';
  private lateMs = 0;
  private readonly pairs = new Set<Pair>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** In front of a port of this machine. */
  static async to(port: number): Promise<TcpProxy> {
    const proxy: TcpProxy = new TcpProxy(
      createServer((near) => proxy.join(near)),
      port,
    );
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** The same address, by way of the proxy. */
  through(address: string): string {
    const url = new URL(address);
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  break(weather: Exclude<Weather, 'clear'>): void {
    this.weather = weather;
    this.apply();
  }

  /** Every answer comes so much later. 0 while nothing is on its way: as before. */
  delayAnswers(ms: number): void {
    this.lateMs = ms;
  }

  heal(aftermath: Aftermath = 'resumed'): void {
    if (aftermath === 'reset') this.hangUp();
    if (aftermath === 'forgotten') for (const pair of this.pairs) pair.isForgotten = true;
    this.weather = 'clear';
    this.apply();
  }

  close(): void {
    this.hangUp();
    this.server.close();
  }

  private join(near: Socket): void {
    const pair: Pair = { near, far: connect(this.port, '127.0.0.1'), isForgotten: false };
    this.pairs.add(pair);
    const end = (): void => {
      near.destroy();
      pair.far.destroy();
      this.pairs.delete(pair);
    };
    for (const [from, to] of [
      [near, pair.far],
      [pair.far, near],
    ] as const) {
      from.on('data', (bytes) => {
        if (from === pair.far && this.lateMs > 0) setTimeout(() => to.write(bytes), this.lateMs);
        else to.write(bytes);
      });
      from.on('error', end).on('close', end);
    }
    this.apply();
  }

  private apply(): void {
    if (this.weather === 'cut') this.hangUp();
    for (const { near, far, isForgotten } of this.pairs) {
      if (isForgotten) continue;
      if (this.weather === 'black hole' || this.weather === 'no questions') near.pause();
      else near.resume();
      if (this.weather === 'black hole' || this.weather === 'no answers') far.pause();
      else far.resume();
    }
  }

  private hangUp(): void {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }
}

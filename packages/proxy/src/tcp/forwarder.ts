import { connect, type Socket } from 'node:net';
import type { Accept } from '../listener/net-listener.ts';
import type { Forwarder } from '../snapshot/snapshot.ts';
import { pipeBoth } from './pipe.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * The kube-proxy's part: connections to a service address go to a ready endpoint by turns. Without any the connection
 * is reset, as kube-proxy's REJECT rule does. An endpoint that refuses is not tried again on behalf of the client.
 */
export class ServiceForwarder {
  config: Forwarder;
  #turn = 0;
  readonly #affinity = new Map<string, { endpoint: string; until: number }>();
  readonly #now: () => number;

  constructor(config: Forwarder, now: () => number) {
    this.config = config;
    this.#now = now;
  }

  readonly accept: Accept = (client, track) => {
    client.on('error', () => {});
    client.pause();
    const endpoint = this.#pick(client.remoteAddress ?? '');
    if (endpoint === undefined) {
      client.resetAndDestroy();
      return;
    }
    const colon = endpoint.lastIndexOf(':');
    const server = connect({
      host: endpoint.slice(0, colon),
      port: Number(endpoint.slice(colon + 1)),
      allowHalfOpen: true,
      noDelay: true,
      timeout: CONNECT_TIMEOUT_MS,
    });
    const untrack = track(new PipedConnection(client, server));
    const fail = (): void => {
      server.destroy();
      client.resetAndDestroy();
      untrack();
    };
    server.once('error', fail);
    server.once('timeout', fail);
    client.once('close', () => {
      untrack();
      server.destroy();
    });
    server.once('connect', () => {
      server.off('error', fail);
      server.off('timeout', fail);
      server.setTimeout(0);
      pipeBoth(client, server, { received: 0, sent: 0 }, untrack);
    });
  };

  #pick(client: string): string | undefined {
    const { endpoints, affinitySeconds } = this.config;
    if (endpoints.length === 0) return undefined;
    if (affinitySeconds === undefined) return endpoints[this.#turn++ % endpoints.length];
    const now = this.#now();
    const kept = this.#affinity.get(client);
    const endpoint =
      kept && kept.until > now && endpoints.includes(kept.endpoint)
        ? kept.endpoint
        : (endpoints[this.#turn++ % endpoints.length] as string);
    this.#affinity.set(client, { endpoint, until: now + affinitySeconds * 1000 });
    return endpoint;
  }
}

/** A TCP connection goes on while it drains; it is cut only at the end. */
export class PipedConnection {
  readonly #client: Socket;
  readonly #server: Socket;

  constructor(client: Socket, server: Socket) {
    this.#client = client;
    this.#server = server;
  }

  drain(): void {}

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}

import type { UpstreamCluster } from '../cluster/cluster.ts';
import type { EndpointState } from '../cluster/endpoint.ts';
import type { PoolWaiter } from '../cluster/endpoint-pool.ts';
import type { RequestHead, UpstreamStream } from './stream.ts';

const MAX_WAITING_BYTES = 1024 * 1024;

/** A copy of a request whose answer nobody waits for. Its host bears `-shadow`, as Envoy marks it. */
export class Mirror implements PoolWaiter {
  readonly #head: RequestHead;
  readonly #cluster: UpstreamCluster;
  readonly #endpoint: EndpointState;
  #stream: UpstreamStream | undefined;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #done = false;

  constructor(cluster: UpstreamCluster, endpoint: EndpointState, head: RequestHead) {
    this.#cluster = cluster;
    this.#endpoint = endpoint;
    const [host = '', port] = head.authority.split(':');
    this.#head = {
      ...head,
      authority: port === undefined ? `${host}-shadow` : `${host}-shadow:${port}`,
      headers: [...head.headers],
      upgrade: undefined,
    };
    endpoint.activeRequests++;
    cluster.stats.requestsTotal++;
    cluster.poolOf(endpoint, cluster.config.protocol === 'http2' ? 'http2' : 'http1').acquire(this);
  }

  data(data: Buffer): void {
    if (this.#done) return;
    if (this.#stream) {
      this.#stream.sendData(data);
      return;
    }
    this.#bytes += data.length;
    if (this.#bytes > MAX_WAITING_BYTES) this.#finish();
    else this.#waiting.push(data);
  }

  end(): void {
    this.#ended = true;
    if (!this.#done) this.#stream?.sendEnd();
  }

  onUpstreamReady(stream: UpstreamStream): void {
    if (this.#done) {
      stream.cancel();
      return;
    }
    this.#stream = stream;
    stream.sendHead(this.#head, this.#head.hasBody, this.#head.contentLength);
    for (const data of this.#waiting.splice(0)) stream.sendData(data);
    if (this.#ended) stream.sendEnd();
  }

  onResponseInformational(): void {}
  onResponseHead(): void {}
  onResponseData(): void {}
  onUpstreamDrain(): void {}

  onResponseEnd(): void {
    this.#finish();
  }

  onUpstreamReset(): void {
    this.#finish();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#waiting = [];
    this.#endpoint.activeRequests--;
    this.#cluster.stats.requestsActive = Math.max(0, this.#cluster.stats.requestsActive);
  }
}

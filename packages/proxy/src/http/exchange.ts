/**
 * Longer than most files here because it is one state machine: what may happen to a request, in one place. What has a
 * name of its own (filters, body, destination, answers, report) is in the files beside it.
 */
import type { UpstreamCluster } from '../cluster/cluster.ts';
import type { EndpointState } from '../cluster/endpoint.ts';
import type { PoolWaiter } from '../cluster/endpoint-pool.ts';
import type { ForwardAction, RetryPolicy, RouteDestination } from '../snapshot/routes.ts';
import type { SpanContext } from '../telemetry/trace-context.ts';
import { injectContext } from '../telemetry/trace-context.ts';
import { decorateAnswer, localAnswer } from './answer-headers.ts';
import { corsOf } from './cors.ts';
import { chooseDestination, startMirrors, timeoutOf } from './destination.ts';
import { report } from './exchange-report.ts';
import { admit } from './filters.ts';
import type { ResponseFlag } from './flags.ts';
import { hashKeyOf } from './hash-key.ts';
import { applyHeaderOperations } from './header-operations.ts';
import { getHeader, type HeaderList, setHeader } from './headers.ts';
import type { Mirror } from './mirror.ts';
import { directReply, redirectReply } from './redirect.ts';
import { RequestBody } from './request-body.ts';
import * as respond from './respond.ts';
import { DEFAULT_RETRY, retriesReset, retriesStatus, retryDelayMs } from './retry.ts';
import type { HttpRole } from './role.ts';
import { type CompiledRoute, type CompiledVirtualHost, findRoute } from './route-table.ts';
import type {
  DownstreamStream,
  RequestHead,
  RequestReceiver,
  ResponseHead,
  Trailers,
  UpstreamReset,
  UpstreamStream,
} from './stream.ts';

/** One request on its way: route, filters, tries, answer, and what is reported of it. Nothing of it outlives it. */
export class Exchange implements RequestReceiver, PoolWaiter {
  readonly role: HttpRole;
  readonly head: RequestHead;
  readonly stream: DownstreamStream;
  readonly startTime: number;
  readonly startMono: number;
  span: SpanContext | undefined;
  host: CompiledVirtualHost | undefined;
  route: CompiledRoute | undefined;
  cluster: UpstreamCluster | undefined;
  endpoint: EndpointState | undefined;
  upstream: UpstreamStream | undefined;
  attempts = 0;
  status = 0;
  details = '';
  flags: ResponseFlag[] | undefined;
  upstreamFailure: string | undefined;
  bytesReceived = 0;
  bytesSent = 0;
  firstByteMono: number | undefined;
  responseHeaders: HeaderList = [];
  grpcStatus: string | undefined;
  upstreamLocalAddress: string | undefined;
  remotePrincipal: string | undefined;
  remoteAddress = '';
  #destination: RouteDestination | undefined;
  #retry: RetryPolicy = DEFAULT_RETRY;
  #tried: Set<EndpointState> | undefined;
  readonly #body: RequestBody;
  #answering = false;
  #finished = false;
  #leftTry = true;
  #isRetry = false;
  #setCookie: string | undefined;
  #cors: HeaderList | undefined;
  #mirrors: Mirror[] | undefined;
  #timer: Disposable | undefined;
  #tryTimer: Disposable | undefined;
  #wait: Disposable | undefined;

  constructor(role: HttpRole, head: RequestHead, stream: DownstreamStream) {
    this.role = role;
    this.head = head;
    this.stream = stream;
    this.startTime = role.proxy.clock.now();
    this.startMono = role.proxy.clock.monotonic();
    this.#body = new RequestBody(stream, head.upgrade === undefined);
    stream.setReceiver(this);
  }

  get isGrpc(): boolean {
    return getHeader(this.head.headers, 'content-type')?.startsWith('application/grpc') === true;
  }

  begin(): void {
    const refusal = admit(this);
    if (refusal) this.reply(refusal);
    else this.#routeRequest();
  }

  #routeRequest(): void {
    const { role, head } = this;
    this.host = role.routes.hostFor(head.authority);
    const compiled = this.host && findRoute(this.host, head, role.port);
    if (compiled === undefined) {
      if (this.host === undefined && role.direction === 'outbound') {
        if (role.passthrough === undefined) this.reply(respond.blackHole);
        else this.#forward({ kind: 'forward', destinations: [{ cluster: role.passthrough, weight: 1 }] });
      } else this.reply(respond.noRoute);
      return;
    }
    this.route = compiled;
    const { route } = compiled;
    const cors = corsOf(compiled, head);
    if (cors?.reply) {
      this.reply(cors.reply);
      return;
    }
    this.#cors = cors?.responseHeaders;
    const { fault } = route;
    if (fault?.delay && this.role.proxy.random() * 100 < fault.delay.percent) {
      this.#flag('DI');
      this.#wait = this.role.proxy.clock.after(fault.delay.ms, () => this.#act(compiled));
    } else this.#act(compiled);
  }

  #act(compiled: CompiledRoute): void {
    if (this.#finished) return;
    const { route } = compiled;
    const abort = route.fault?.abort;
    if (abort && this.role.proxy.random() * 100 < abort.percent) {
      this.reply(respond.faultAbort(abort.httpStatus ?? 200, abort.grpcStatus));
      return;
    }
    switch (route.action.kind) {
      case 'forward':
        this.#forward(route.action);
        return;
      case 'redirect':
        this.reply(redirectReply(this, route.action, compiled.prefix));
        return;
      case 'direct':
        this.reply(directReply(route.action));
    }
  }

  #forward(action: ForwardAction): void {
    const { head, role, route: compiled } = this;
    if (action.retry) this.#retry = action.retry;
    const destination = chooseDestination(action.destinations, compiled?.destinationsWeight ?? 1, role.proxy.random);
    if (destination === undefined) {
      this.reply(respond.clusterNotFound);
      return;
    }
    this.#destination = destination;
    const route = compiled?.route;
    const { authority } = applyHeaderOperations(head.headers, route?.requestHeaders, this);
    const second = applyHeaderOperations(head.headers, destination.requestHeaders, this);
    const rewritten = second.authority ?? authority ?? destination.authority ?? action.rewrite?.authority;
    if (compiled?.rewrite) {
      const next = compiled.rewrite(head.path);
      if (next !== head.path) {
        setHeader(head.headers, 'x-envoy-original-path', head.path);
        head.path = next;
      }
    }
    if (rewritten !== undefined) head.authority = rewritten;
    if (this.span) injectContext(head.headers, this.span);
    const timeoutMs = timeoutOf(head.headers, action.timeoutMs);
    if (timeoutMs > 0) this.#timer = role.proxy.clock.after(timeoutMs, () => this.#onTimeout());
    this.cluster = role.proxy.cluster(destination.cluster);
    this.#mirrors = startMirrors(action, head, role.proxy);
    this.#attempt();
  }

  #attempt(): void {
    if (this.#finished) return;
    const { cluster } = this;
    if (cluster === undefined) {
      this.reply(respond.clusterNotFound);
      return;
    }
    const waiting = cluster.prepare(this.head.authority);
    if (waiting) {
      waiting.then(
        (endpoint) => this.#attemptAt(cluster, endpoint ?? (cluster.config.dynamic ? undefined : this.#pick(cluster))),
        () => this.#attemptAt(cluster, undefined),
      );
      return;
    }
    this.#attemptAt(cluster, this.#pick(cluster));
  }

  #pick(cluster: UpstreamCluster): EndpointState | undefined {
    const policy = cluster.config.loadBalancer;
    let hashKey: string | undefined;
    if (policy.kind === 'hash') {
      const key = hashKeyOf(policy.key, this.head, this.stream.connection.remoteAddress);
      hashKey = key.value;
      this.#setCookie ??= key.setCookie;
    }
    return cluster.pick({ hashKey, tried: this.#retry.ignorePreviousHosts ? undefined : this.#tried });
  }

  #attemptAt(cluster: UpstreamCluster, endpoint: EndpointState | undefined): void {
    if (this.#finished) return;
    if (endpoint === undefined) {
      this.reply(respond.noHealthyUpstream);
      return;
    }
    if (cluster.limits.maxRequests !== undefined && cluster.stats.requestsActive >= cluster.limits.maxRequests) {
      cluster.stats.pendingOverflow++;
      this.reply(respond.upstreamReset({ reason: 'overflow', unsent: true }, false));
      return;
    }
    this.attempts++;
    this.#leftTry = false;
    this.endpoint = endpoint;
    endpoint.activeRequests++;
    cluster.stats.requestsActive++;
    cluster.stats.requestsTotal++;
    setHeader(this.head.headers, 'x-envoy-attempt-count', String(this.attempts));
    const perTry = this.#retry.perTryTimeoutMs ?? 0;
    if (perTry > 0) this.#tryTimer = this.role.proxy.clock.after(perTry, () => this.#onTryTimeout());
    const { protocol } = cluster.config;
    const speaks = protocol === 'same' ? (this.head.protocol === 'HTTP/2' ? 'http2' : 'http1') : protocol;
    cluster.poolOf(endpoint, this.head.upgrade === undefined ? speaks : 'http1').acquire(this);
  }

  /** The present try is over, whatever came of it. */
  #leaveTry(): void {
    this.#tryTimer?.[Symbol.dispose]();
    this.#tryTimer = undefined;
    const { endpoint, cluster } = this;
    if (endpoint && cluster && !this.#leftTry) {
      endpoint.activeRequests--;
      cluster.stats.requestsActive--;
    }
    this.#leftTry = true;
    this.#endRetry();
  }

  #endRetry(): void {
    if (this.#isRetry && this.cluster) this.cluster.activeRetries--;
    this.#isRetry = false;
  }
  onUpstreamReady(upstream: UpstreamStream): void {
    if (this.#finished) {
      upstream.cancel();
      return;
    }
    this.upstream = upstream;
    this.upstreamLocalAddress = upstream.localAddress;
    this.remotePrincipal = upstream.remotePrincipal;
    const { head } = this;
    upstream.sendHead(head, head.hasBody, head.contentLength);
    this.#body.sendTo(upstream);
  }

  onRequestData(data: Buffer): void {
    this.bytesReceived += data.length;
    if (this.#finished) return;
    for (const mirror of this.#mirrors ?? []) mirror.data(data);
    this.#body.take(data, this.upstream);
  }

  onRequestEnd(trailers?: Trailers): void {
    if (this.#body.ended || this.#finished) return;
    for (const mirror of this.#mirrors ?? []) mirror.end();
    this.#body.end(trailers, this.upstream);
  }

  onUpstreamDrain(): void {
    this.#body.resume();
  }

  onDownstreamDrain(): void {
    this.upstream?.resumeResponse();
  }

  onResponseInformational(status: number, headers: HeaderList): void {
    if (!this.#finished) this.stream.sendInformational(status, headers);
  }

  onResponseHead(response: ResponseHead): void {
    const { cluster, endpoint } = this;
    if (this.#finished || !cluster || !endpoint) return;
    cluster.report(endpoint, { status: response.status });
    if (this.#mayRetry() && retriesStatus(this.#retry, response.status, response.headers)) {
      this.upstream?.cancel();
      this.upstream = undefined;
      this.#leaveTry();
      this.#retryLater();
      return;
    }
    this.#tryTimer?.[Symbol.dispose]();
    this.#answering = true;
    this.#body.forget();
    this.status = response.status;
    this.details = 'via_upstream';
    if (
      this.attempts > this.#retry.attempts &&
      this.#retry.attempts > 0 &&
      retriesStatus(this.#retry, response.status, response.headers)
    )
      this.#flag('URX');
    const now = this.role.proxy.clock.monotonic();
    this.firstByteMono = now;
    const { headers } = response;
    this.responseHeaders = headers;
    decorateAnswer(this, headers, now, this.#cors);
    if (this.#setCookie !== undefined) headers.push('set-cookie', this.#setCookie);
    applyHeaderOperations(headers, this.#destination?.responseHeaders, this);
    applyHeaderOperations(headers, this.route?.route.responseHeaders, this);
    this.grpcStatus = getHeader(headers, 'grpc-status');
    this.stream.sendHead(response.status, headers, response.hasBody, response.contentLength);
    if (response.upgraded) {
      this.#timer?.[Symbol.dispose]();
      this.stream.startTunnel();
    }
  }

  onResponseData(data: Buffer): void {
    if (this.#finished) return;
    this.bytesSent += data.length;
    if (!this.stream.sendData(data)) this.upstream?.pauseResponse();
  }

  onResponseEnd(trailers?: Trailers): void {
    if (this.#finished) return;
    if (trailers) this.grpcStatus = getHeader(trailers, 'grpc-status') ?? this.grpcStatus;
    this.upstream = undefined;
    this.#leaveTry();
    this.#finish();
    this.stream.sendEnd(trailers);
  }

  onUpstreamReset(reset: UpstreamReset): void {
    const { cluster, endpoint } = this;
    if (this.#finished || !cluster || !endpoint) return;
    this.upstream = undefined;
    this.upstreamFailure = reset.transportFailure;
    this.#leaveTry();
    if (reset.reason === 'overflow') cluster.stats.pendingOverflow++;
    else cluster.report(endpoint, 'local-failure');
    if (this.#answering) {
      this.#flag(respond.flagOfReset(reset));
      this.details = `upstream_reset_after_response_started{${reset.reason.replaceAll(' ', '_')}}`;
      this.#finish();
      this.stream.reset(reset.reason);
      return;
    }
    const retriable = retriesReset(this.#retry, reset, this.head.method);
    if (retriable && this.#mayRetry()) {
      this.#retryLater();
      return;
    }
    if (retriable && this.attempts > 1) this.#flag('URX');
    this.reply(respond.upstreamReset(reset, this.attempts > 1));
  }

  #mayRetry(): boolean {
    const most = this.cluster?.limits.maxRetries;
    if (most !== undefined && (this.cluster?.activeRetries ?? 0) >= most) return false;
    return (
      !this.#answering &&
      this.#body.replayable &&
      this.attempts <= this.#retry.attempts &&
      this.head.upgrade === undefined
    );
  }

  #retryLater(): void {
    const { cluster, endpoint } = this;
    if (cluster) {
      cluster.stats.retries++;
      cluster.activeRetries++;
      this.#isRetry = true;
    }
    this.#tried ??= new Set();
    if (endpoint) this.#tried.add(endpoint);
    const { clock, random } = this.role.proxy;
    this.#wait = clock.after(retryDelayMs(this.#retry, this.attempts, random()), () => this.#attempt());
  }

  #cancelTry(): void {
    if (this.upstream) this.upstream.cancel();
    else if (this.cluster && this.endpoint && !this.#leftTry) {
      this.endpoint.http1?.forget(this);
      this.endpoint.http2?.forget(this);
    }
    this.upstream = undefined;
    this.#leaveTry();
  }

  #onTimeout(): void {
    if (this.#finished) return;
    if (this.cluster) this.cluster.stats.timeouts++;
    this.#cancelTry();
    if (this.endpoint) this.cluster?.report(this.endpoint, { status: 504 });
    if (this.#answering) {
      this.#flag('UT');
      this.#finish();
      this.stream.reset('timeout');
    } else this.reply(respond.upstreamTimeout);
  }

  #onTryTimeout(): void {
    if (this.#finished || this.#answering) return;
    this.#cancelTry();
    if (this.endpoint) this.cluster?.report(this.endpoint, { status: 504 });
    if (this.cluster) this.cluster.stats.timeouts++;
    const retriable = this.#retry.on.some(
      (condition) => condition === '5xx' || condition === 'gateway-error' || condition === 'reset',
    );
    if (retriable && this.#mayRetry()) this.#retryLater();
    else {
      if (retriable) this.#flag('URX');
      this.reply(respond.perTryTimeout);
    }
  }

  onDownstreamReset(reason: string): void {
    if (this.#finished) return;
    this.#flag('DC');
    this.details = reason;
    this.#cancelTry();
    this.#finish();
  }

  /** Answers in the proxy's own name. */
  reply(reply: respond.LocalReply): void {
    if (this.#finished) return;
    if (reply.flag) this.#flag(reply.flag);
    this.details = reply.details;
    const { status, headers, body } = localAnswer(this, reply, this.#cors);
    this.status = status;
    this.responseHeaders = headers;
    applyHeaderOperations(headers, this.route?.route.responseHeaders, this);
    const hasBody = body.length > 0 && this.head.method !== 'HEAD';
    this.bytesSent = hasBody ? body.length : 0;
    this.#finish();
    this.stream.sendHead(status, headers, hasBody, this.isGrpc ? undefined : body.length);
    if (hasBody) this.stream.sendData(body);
    this.stream.sendEnd();
  }

  #flag(flag: ResponseFlag): void {
    this.flags ??= [];
    if (!this.flags.includes(flag)) this.flags.push(flag);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#endRetry();
    this.#timer?.[Symbol.dispose]();
    this.#tryTimer?.[Symbol.dispose]();
    this.#wait?.[Symbol.dispose]();
    this.#body.forget();
    this.#body.resume();
    report(this);
  }
}

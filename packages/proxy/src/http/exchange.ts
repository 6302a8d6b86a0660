import type { UpstreamCluster } from '../cluster/cluster.ts';
import type { EndpointState } from '../cluster/endpoint.ts';
import type { PoolWaiter } from '../cluster/endpoint-pool.ts';
import type { ForwardAction, RetryPolicy, RouteDestination } from '../snapshot/routes.ts';
import type { SpanContext } from '../telemetry/trace-context.ts';
import { injectContext } from '../telemetry/trace-context.ts';
import { addCorsHeaders, corsOf } from './cors.ts';
import { report } from './exchange-report.ts';
import type { ResponseFlag } from './flags.ts';
import { hashKeyOf } from './hash-key.ts';
import { applyHeaderOperations, requestField, type Substitute } from './header-operations.ts';
import { getHeader, type HeaderList, setHeader } from './headers.ts';
import { Mirror } from './mirror.ts';
import { normalizePath } from './path.ts';
import { directReply, redirectReply } from './redirect.ts';
import { clientAddress, prepareRequest } from './request-head.ts';
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

/** Request bytes kept for another try; a longer body is sent once. */
const MAX_REPLAY_BYTES = 256 * 1024;
/** Request bytes that wait for an upstream before the client is told to wait. */
const MAX_WAITING_BYTES = 64 * 1024;

/** One request on its way: route, filters, tries, answer, and what is reported of it. Nothing of it outlives it. */
export class Exchange implements RequestReceiver, PoolWaiter {
  readonly role: HttpRole;
  readonly head: RequestHead;
  readonly stream: DownstreamStream;
  readonly startTime: number;
  readonly startMono: number;
  readonly originalPath: string;
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
  #action: ForwardAction | undefined;
  #destination: RouteDestination | undefined;
  #retry: RetryPolicy = DEFAULT_RETRY;
  #tried: Set<EndpointState> | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #replayable = true;
  #requestEnded = false;
  #requestTrailers: Trailers | undefined;
  #answering = false;
  #finished = false;
  #paused = false;
  #leftTry = true;
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
    this.originalPath = head.path;
    stream.setReceiver(this);
  }

  get isGrpc(): boolean {
    return getHeader(this.head.headers, 'content-type')?.startsWith('application/grpc') === true;
  }

  begin(): void {
    const { role, head, stream } = this;
    if (head.method === 'CONNECT') {
      this.reply(respond.noRoute);
      return;
    }
    this.span = prepareRequest(role, head, stream.connection);
    this.remoteAddress = clientAddress(role, head, stream.connection);
    const path = head.path === '*' ? '*' : normalizePath(head.path);
    if (path === undefined) {
      this.reply(respond.badPath('path_normalization_failed'));
      return;
    }
    head.path = path;
    if (head.upgrade !== undefined && head.upgrade !== 'websocket') {
      if (head.upgrade !== 'h2c') {
        this.reply(respond.upgradeFailed);
        return;
      }
      (head as { upgrade: string | undefined }).upgrade = undefined;
    }
    if (role.httpsRedirect && head.scheme === 'http') {
      this.reply(redirectReply(this, { kind: 'redirect', status: 301, scheme: 'https' }, undefined));
      return;
    }
    const { jwt, policies } = role.proxy;
    if (jwt !== undefined && role.direction !== 'outbound') {
      const verdict = jwt.verify(head);
      if (verdict instanceof Promise) {
        verdict.then(
          (late) => this.#authorized(late),
          () => this.#authorized({ denied: 'Jwt verification fails' }),
        );
        return;
      }
      this.#authorized(verdict);
    } else if (role.direction !== 'outbound' && !policies.empty) this.#authorized({ claims: undefined });
    else this.#routeRequest();
  }

  #authorized(verdict: { denied: string } | { claims: Readonly<Record<string, unknown>> | undefined }): void {
    if (this.#finished) return;
    if ('denied' in verdict) {
      this.reply(respond.jwtDenied(verdict.denied));
      return;
    }
    const { role, head, stream } = this;
    const denied = role.proxy.policies.check({
      head,
      connection: stream.connection,
      clientAddress: this.remoteAddress,
      port: role.port,
      claims: verdict.claims,
    });
    if (denied !== undefined) this.reply(respond.rbacDenied(denied));
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

  readonly #substitute: Substitute = (name, argument) => {
    const { connection } = this.stream;
    switch (name) {
      case 'REQ':
        return requestField(this.head.headers, argument ?? '', (field) =>
          field === ':path'
            ? this.head.path
            : field === ':authority'
              ? this.head.authority
              : field === ':method'
                ? this.head.method
                : undefined,
        );
      case 'RESP':
        return requestField(this.responseHeaders, argument ?? '', () => undefined);
      case 'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT':
        return this.remoteAddress;
      case 'DOWNSTREAM_REMOTE_ADDRESS':
        return `${connection.remoteAddress}:${connection.remotePort}`;
      case 'DOWNSTREAM_LOCAL_ADDRESS':
        return `${connection.localAddress}:${connection.localPort}`;
      case 'PROTOCOL':
        return this.head.protocol;
      case 'START_TIME':
        return new Date(this.startTime).toISOString();
      case 'UPSTREAM_HOST':
        return this.endpoint?.key;
      case 'TRACE_ID':
        return this.span?.traceId;
      default:
        return undefined;
    }
  };

  #forward(action: ForwardAction): void {
    const { head, role, route: compiled } = this;
    this.#action = action;
    if (action.retry) this.#retry = action.retry;
    const destination = this.#choose(action.destinations, compiled?.destinationsWeight ?? 1);
    if (destination === undefined) {
      this.reply(respond.clusterNotFound);
      return;
    }
    this.#destination = destination;
    const route = compiled?.route;
    const { authority } = applyHeaderOperations(head.headers, route?.requestHeaders, this.#substitute);
    const second = applyHeaderOperations(head.headers, destination.requestHeaders, this.#substitute);
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
    this.#startMirrors(action);
    this.#attempt();
  }

  #choose(destinations: readonly RouteDestination[], total: number): RouteDestination | undefined {
    if (destinations.length <= 1) return destinations[0];
    let point = this.role.proxy.random() * total;
    for (const destination of destinations) {
      point -= destination.weight;
      if (point < 0) return destination;
    }
    return destinations.at(-1);
  }

  #startMirrors(action: ForwardAction): void {
    for (const mirror of action.mirrors ?? []) {
      if (this.role.proxy.random() * 100 >= mirror.percent) continue;
      const cluster = this.role.proxy.cluster(mirror.cluster);
      const endpoint = cluster?.pick({ hashKey: undefined, tried: undefined });
      if (!cluster || !endpoint) continue;
      this.#mirrors ??= [];
      this.#mirrors.push(new Mirror(cluster, endpoint, this.head));
    }
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
    let open = true;
    for (const data of this.#body) open = upstream.sendData(data);
    if (!this.#replayable) this.#body = [];
    if (this.#requestEnded) upstream.sendEnd(this.#requestTrailers);
    else if (open && this.#paused) this.#setPaused(false);
  }

  onRequestData(data: Buffer): void {
    this.bytesReceived += data.length;
    if (this.#finished) return;
    for (const mirror of this.#mirrors ?? []) mirror.data(data);
    const { upstream } = this;
    if (this.#replayable) {
      this.#bodyBytes += data.length;
      if (this.#bodyBytes > MAX_REPLAY_BYTES || this.head.upgrade !== undefined) this.#replayable = false;
    }
    if (this.#replayable || upstream === undefined) this.#body.push(data);
    else if (this.#body.length > 0) this.#body = [];
    if (upstream === undefined) {
      if (this.#bodyBytes > MAX_WAITING_BYTES) this.#setPaused(true);
    } else if (!upstream.sendData(data)) this.#setPaused(true);
  }

  onRequestEnd(trailers?: Trailers): void {
    if (this.#requestEnded) return;
    this.#requestEnded = true;
    this.#requestTrailers = trailers;
    if (this.#finished) return;
    for (const mirror of this.#mirrors ?? []) mirror.end();
    this.upstream?.sendEnd(trailers);
  }

  onUpstreamDrain(): void {
    if (this.#paused) this.#setPaused(false);
  }

  onDownstreamDrain(): void {
    this.upstream?.resumeResponse();
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.stream.pauseRequest();
    else this.stream.resumeRequest();
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
    this.#body = [];
    this.#replayable = false;
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
    this.#decorate(headers, now);
    this.grpcStatus = getHeader(headers, 'grpc-status');
    this.stream.sendHead(response.status, headers, response.hasBody, response.contentLength);
    if (response.upgraded) {
      this.#timer?.[Symbol.dispose]();
      this.stream.startTunnel();
    }
  }

  /** Fields that Envoy puts on every answer. */
  #decorate(headers: HeaderList, now: number): void {
    const { direction, proxy } = this.role;
    setHeader(headers, 'x-envoy-upstream-service-time', String(Math.round(now - this.startMono)));
    setHeader(headers, 'server', direction === 'outbound' ? 'envoy' : 'istio-envoy');
    if (getHeader(headers, 'date') === undefined) headers.push('date', new Date(proxy.clock.now()).toUTCString());
    if (this.#cors) addCorsHeaders(headers, this.#cors);
    if (this.#setCookie !== undefined) headers.push('set-cookie', this.#setCookie);
    applyHeaderOperations(headers, this.#destination?.responseHeaders, this.#substitute);
    applyHeaderOperations(headers, this.route?.route.responseHeaders, this.#substitute);
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
    return (
      !this.#answering && this.#replayable && this.attempts <= this.#retry.attempts && this.head.upgrade === undefined
    );
  }

  #retryLater(): void {
    const { cluster, endpoint } = this;
    if (cluster) cluster.stats.retries++;
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
    const body = this.isGrpc ? '' : reply.body;
    const headers: HeaderList = [];
    if (this.isGrpc) {
      this.grpcStatus = String(reply.grpcStatus ?? respond.grpcStatusOf(reply.status));
      headers.push('content-type', 'application/grpc', 'grpc-status', this.grpcStatus);
      if (reply.body !== '') headers.push('grpc-message', encodeURIComponent(reply.body).replaceAll('%20', ' '));
    } else if (body !== '') headers.push('content-type', 'text/plain');
    if (reply.headers)
      for (let i = 0; i < reply.headers.length; i += 2)
        setHeader(headers, reply.headers[i] as string, reply.headers[i + 1] as string);
    headers.push('date', new Date(this.role.proxy.clock.now()).toUTCString());
    headers.push('server', this.role.direction === 'outbound' ? 'envoy' : 'istio-envoy');
    if (this.#cors) addCorsHeaders(headers, this.#cors);
    this.status = this.isGrpc ? 200 : reply.status;
    this.responseHeaders = headers;
    applyHeaderOperations(headers, this.route?.route.responseHeaders, this.#substitute);
    const bytes = Buffer.from(body);
    const hasBody = bytes.length > 0 && this.head.method !== 'HEAD';
    this.bytesSent = hasBody ? bytes.length : 0;
    this.#finish();
    this.stream.sendHead(this.status, headers, hasBody, this.isGrpc ? undefined : bytes.length);
    if (hasBody) this.stream.sendData(bytes);
    this.stream.sendEnd();
  }

  #flag(flag: ResponseFlag): void {
    this.flags ??= [];
    if (!this.flags.includes(flag)) this.flags.push(flag);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#timer?.[Symbol.dispose]();
    this.#tryTimer?.[Symbol.dispose]();
    this.#wait?.[Symbol.dispose]();
    if (this.#paused) this.#setPaused(false);
    this.#body = [];
    report(this);
  }
}

/** The caller may set a shorter or longer limit (Envoy's x-envoy-upstream-rq-timeout-ms). */
function timeoutOf(headers: HeaderList, routeMs: number | undefined): number {
  const asked = getHeader(headers, 'x-envoy-upstream-rq-timeout-ms');
  if (asked !== undefined && /^\d{1,9}$/.test(asked)) return Number(asked);
  return routeMs ?? 0;
}

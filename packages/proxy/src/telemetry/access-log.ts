import { requestField } from '../http/header-operations.ts';
import type { HeaderList } from '../http/headers.ts';
import type { AccessLogSettings } from '../snapshot/telemetry.ts';

/** What is known of a finished request or connection. Times in milliseconds. */
export interface AccessRecord {
  readonly startTime: number;
  readonly durationMs: number;
  /** Time to the first byte of the answer from the upstream. */
  readonly responseDurationMs: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
  readonly protocol: string;
  readonly status: number;
  readonly flags: string;
  readonly details: string;
  readonly upstreamFailure: string | undefined;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly requestHeaders: HeaderList;
  readonly responseHeaders: HeaderList;
  readonly upstreamHost: string | undefined;
  readonly upstreamCluster: string | undefined;
  readonly upstreamLocalAddress: string | undefined;
  readonly downstreamLocalAddress: string;
  readonly downstreamRemoteAddress: string;
  readonly requestedServerName: string | undefined;
  readonly routeName: string | undefined;
  readonly attempts: number;
  readonly traceId: string | undefined;
  readonly grpcStatus: string | undefined;
  readonly peerSpiffeId: string | undefined;
  readonly localSpiffeId: string | undefined;
  readonly virtualCluster?: string;
}

/** Istio's default (pilot/pkg/model/telemetry_logging.go, EnvoyTextLogFormat). */
export const ISTIO_TEXT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

/** Istio's default for JSON (EnvoyJSONLogFormatIstio). */
export const ISTIO_JSON_FORMAT: Readonly<Record<string, string>> = {
  authority: '%REQ(:AUTHORITY)%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  duration: '%DURATION%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  request_id: '%REQ(X-REQUEST-ID)%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  response_code: '%RESPONSE_CODE%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  response_flags: '%RESPONSE_FLAGS%',
  route_name: '%ROUTE_NAME%',
  start_time: '%START_TIME%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  user_agent: '%REQ(USER-AGENT)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
};

type Value = string | number | undefined;
type Command = (record: AccessRecord) => Value;

const COMMANDS: Readonly<Record<string, (argument: string) => Command>> = {
  START_TIME: () => (r) => new Date(r.startTime).toISOString(),
  PROTOCOL: () => (r) => r.protocol || undefined,
  RESPONSE_CODE: () => (r) => r.status,
  RESPONSE_FLAGS: () => (r) => r.flags,
  RESPONSE_CODE_DETAILS: () => (r) => r.details || undefined,
  CONNECTION_TERMINATION_DETAILS: () => () => undefined,
  UPSTREAM_TRANSPORT_FAILURE_REASON: () => (r) => r.upstreamFailure,
  BYTES_RECEIVED: () => (r) => r.bytesReceived,
  BYTES_SENT: () => (r) => r.bytesSent,
  DURATION: () => (r) => Math.round(r.durationMs),
  RESPONSE_DURATION: () => (r) => (r.responseDurationMs === undefined ? undefined : Math.round(r.responseDurationMs)),
  REQ: (argument) => (r) => requestField(r.requestHeaders, argument, (name) => pseudo(r, name)),
  RESP: (argument) => (r) => requestField(r.responseHeaders, argument, () => undefined),
  TRAILER: () => () => undefined,
  UPSTREAM_HOST: () => (r) => r.upstreamHost,
  UPSTREAM_CLUSTER: () => (r) => r.upstreamCluster,
  UPSTREAM_CLUSTER_RAW: () => (r) => r.upstreamCluster,
  UPSTREAM_LOCAL_ADDRESS: () => (r) => r.upstreamLocalAddress,
  UPSTREAM_REQUEST_ATTEMPT_COUNT: () => (r) => r.attempts,
  DOWNSTREAM_LOCAL_ADDRESS: () => (r) => r.downstreamLocalAddress,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: () => (r) => r.downstreamLocalAddress.replace(/:\d+$/, ''),
  DOWNSTREAM_LOCAL_PORT: () => (r) => Number(r.downstreamLocalAddress.replace(/^.*:/, '')),
  DOWNSTREAM_REMOTE_ADDRESS: () => (r) => r.downstreamRemoteAddress,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: () => (r) => r.downstreamRemoteAddress.replace(/:\d+$/, ''),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: () => (r) => r.downstreamRemoteAddress,
  DOWNSTREAM_PEER_URI_SAN: () => (r) => r.peerSpiffeId,
  DOWNSTREAM_LOCAL_URI_SAN: () => (r) => r.localSpiffeId,
  REQUESTED_SERVER_NAME: () => (r) => r.requestedServerName,
  ROUTE_NAME: () => (r) => r.routeName,
  TRACE_ID: () => (r) => r.traceId,
  GRPC_STATUS: () => (r) => r.grpcStatus,
  GRPC_STATUS_NUMBER: () => (r) => r.grpcStatus,
  HOSTNAME: () => () => undefined,
};

function pseudo(record: AccessRecord, name: string): string | undefined {
  switch (name) {
    case ':method':
      return record.method || undefined;
    case ':path':
      return record.path || undefined;
    case ':authority':
      return record.authority || undefined;
    case ':scheme':
      return record.scheme || undefined;
    default:
      return undefined;
  }
}

/** Commands of an Envoy format string that this proxy does not know. */
export function unknownCommands(format: string): string[] {
  const names = [...format.matchAll(COMMAND)].map((match) => match[1] ?? '');
  return names.filter((name) => name !== '' && !(name in COMMANDS));
}

const COMMAND = /%%|%([A-Z_0-9]+)(?:\(([^)]*)\))?(?::(\d+))?%/g;

function compileText(format: string): (string | Command)[] {
  const pieces: (string | Command)[] = [];
  let last = 0;
  for (const match of format.matchAll(COMMAND)) {
    if (match.index > last) pieces.push(format.slice(last, match.index));
    last = match.index + match[0].length;
    const name = match[1];
    if (name === undefined) pieces.push('%');
    else {
      const command = COMMANDS[name]?.(match[2] ?? '') ?? (() => undefined);
      const most = match[3] === undefined ? undefined : Number(match[3]);
      pieces.push(most === undefined ? command : (record) => command(record)?.toString().slice(0, most));
    }
  }
  if (last < format.length) pieces.push(format.slice(last));
  return pieces;
}

/** Makes the function that writes a record as one line, without its end. */
export function compileAccessLog(settings: AccessLogSettings): (record: AccessRecord) => string {
  if (settings.encoding === 'JSON') {
    const fields = Object.entries(settings.json ?? ISTIO_JSON_FORMAT).map(
      ([key, format]) => [key, compileText(format)] as const,
    );
    return (record) => {
      const out: Record<string, string | number | null> = {};
      for (const [key, pieces] of fields) {
        const only = pieces[0];
        if (pieces.length === 1 && typeof only === 'function') out[key] = only(record) ?? null;
        else out[key] = render(pieces, record);
      }
      return JSON.stringify(out);
    };
  }
  const pieces = compileText((settings.text ?? ISTIO_TEXT_FORMAT).replace(/\n$/, ''));
  return (record) => render(pieces, record).replaceAll('\n', '\\n');
}

function render(pieces: readonly (string | Command)[], record: AccessRecord): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : (piece(record) ?? '-');
  return text;
}

const FILTER = /^\s*response\.(code|duration)\s*(>=|<=|==|!=|>|<)\s*(\d+)\s*$/;

/** A filter that Telemetry's `accessLogging.filter.expression` may hold here: comparisons joined by `&&` or `||`. */
export function compileLogFilter(expression: string): ((record: AccessRecord) => boolean) | undefined {
  const any = expression.split('||').map((part) => part.split('&&').map(compileComparison));
  if (any.some((all) => all.some((test) => test === undefined))) return undefined;
  return (record) => any.some((all) => all.every((test) => test?.(record) === true));
}

function compileComparison(text: string): ((record: AccessRecord) => boolean) | undefined {
  const match = FILTER.exec(text);
  if (match === null) return undefined;
  const [, field, operator, number] = match;
  const limit = Number(number);
  const of = field === 'code' ? (r: AccessRecord) => r.status : (r: AccessRecord) => r.durationMs;
  switch (operator) {
    case '>=':
      return (r) => of(r) >= limit;
    case '<=':
      return (r) => of(r) <= limit;
    case '==':
      return (r) => of(r) === limit;
    case '!=':
      return (r) => of(r) !== limit;
    case '>':
      return (r) => of(r) > limit;
    default:
      return (r) => of(r) < limit;
  }
}

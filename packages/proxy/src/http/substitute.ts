import type { Exchange } from './exchange.ts';
import { requestField } from './header-operations.ts';

/** Value of `%NAME(argument)%` in a header operation; undefined for what is not known. */
export function substitute(exchange: Exchange, name: string, argument: string | undefined): string | undefined {
  const { head } = exchange;
  const { connection } = exchange.stream;
  switch (name) {
    case 'REQ':
      return requestField(head.headers, argument ?? '', (field) => {
        if (field === ':path') return head.path;
        if (field === ':authority') return head.authority;
        return field === ':method' ? head.method : undefined;
      });
    case 'RESP':
      return requestField(exchange.responseHeaders, argument ?? '', () => undefined);
    case 'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT':
      return exchange.remoteAddress;
    case 'DOWNSTREAM_REMOTE_ADDRESS':
      return `${connection.remoteAddress}:${connection.remotePort}`;
    case 'DOWNSTREAM_LOCAL_ADDRESS':
      return `${connection.localAddress}:${connection.localPort}`;
    case 'PROTOCOL':
      return head.protocol;
    case 'START_TIME':
      return new Date(exchange.startTime).toISOString();
    case 'UPSTREAM_HOST':
      return exchange.endpoint?.key;
    case 'TRACE_ID':
      return exchange.span?.traceId;
    default:
      return undefined;
  }
}

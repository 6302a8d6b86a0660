import type { HeaderOperations } from '../snapshot/routes.ts';
import type { Exchange } from './exchange.ts';
import { addHeader, getJoinedHeader, type HeaderList, removeHeader, safeValue, setHeader } from './headers.ts';
import { substitute } from './substitute.ts';

/** Applies in Envoy's order: set, add, then remove. `host` and pseudo fields are for the caller: it gets them back. */
export function applyHeaderOperations(
  headers: HeaderList,
  operations: HeaderOperations | undefined,
  exchange: Exchange,
): { authority?: string } {
  if (operations === undefined) return {};
  let authority: string | undefined;
  for (const [name, value] of Object.entries(operations.set ?? {})) {
    const text = expand(value, exchange);
    if (name === 'host' || name === ':authority') authority = text;
    else setHeader(headers, name, text);
  }
  for (const [name, value] of Object.entries(operations.add ?? {})) addHeader(headers, name, expand(value, exchange));
  for (const name of operations.remove ?? []) removeHeader(headers, name);
  return authority === undefined ? {} : { authority };
}

/** `%%` is a percent sign; an unknown or empty command becomes nothing, as Envoy has it for headers. */
export function expand(format: string, exchange: Exchange): string {
  if (!format.includes('%')) return safeValue(format);
  return safeValue(
    format.replace(
      /%%|%([A-Z_0-9]+)(?:\(([^)]*)\))?(?::(\d+))?%/g,
      (whole, name?: string, argument?: string, most?: string) => {
        if (whole === '%%' || name === undefined) return '%';
        const value = substitute(exchange, name, argument) ?? '';
        return most === undefined ? value : value.slice(0, Number(most));
      },
    ),
  );
}

/** `REQ(a?b):n` of Envoy: the first of two fields that is there. */
export function requestField(
  headers: HeaderList,
  argument: string,
  pseudo: (name: string) => string | undefined,
): string | undefined {
  for (const name of argument.toLowerCase().split('?')) {
    const value = name.startsWith(':') ? pseudo(name) : getJoinedHeader(headers, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

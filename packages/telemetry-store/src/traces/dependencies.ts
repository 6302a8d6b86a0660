import type { SpanHead } from './head.ts';

/** Calls from one service to another. */
export interface Edge {
  readonly parent: string;
  readonly child: string;
  callCount: number;
  errorCount: number;
}

export class EdgeCounter {
  readonly #edges = new Map<string, Edge>();

  add(parent: string, child: string, calls: number, errors: number): void {
    const key = `${parent}\0${child}`;
    const edge = this.#edges.get(key);
    if (edge) {
      edge.callCount += calls;
      edge.errorCount += errors;
    } else this.#edges.set(key, { parent, child, callCount: calls, errorCount: errors });
  }

  list(): Edge[] {
    return [...this.#edges.values()];
  }
}

interface Node {
  readonly service: string;
  readonly kind: string;
}

/** Counts the calls between services within one trace of a head, of spans that start in the range. */
export function countEdges(
  head: SpanHead,
  trace: number,
  into: EdgeCounter,
  startUs = -Infinity,
  endUs = Infinity,
): void {
  const rows = [...head.rowsOf(trace)];
  if (rows.length < 2) return;
  const byId = new Map<string, Node[]>();
  const read = rows.map((row) => {
    const buffer = head.buffers[head.buffer[row] ?? 0] ?? Buffer.alloc(0);
    const id = idText(buffer, head.spanIdAt[row] ?? 0);
    const parent = idText(buffer, head.parentIdAt[row] ?? -1);
    const operation = head.catalog.operations[head.operation[row] ?? 0];
    const node: Node = { service: operation?.service ?? '', kind: operation?.kind ?? 'unspecified' };
    const same = byId.get(id);
    if (same) same.push(node);
    else byId.set(id, [node]);
    return { row, id, parent, node };
  });
  for (const { row, id, parent, node } of read) {
    const started = head.startUs[row] ?? 0;
    if (started < startUs || started > endUs) continue;
    // A span that shares its id with a client's is that call's server side (Zipkin's shared spans).
    const shared = node.kind === 'server' ? byId.get(id)?.find((other) => other.kind === 'client') : undefined;
    const above = byId.get(parent);
    const caller = shared ?? above?.find((other) => other.service === node.service) ?? above?.[0];
    if (caller && caller.service !== node.service) into.add(caller.service, node.service, 1, head.isError[row] ?? 0);
  }
}

/** An id of eight bytes as a key; '' where it is absent. */
function idText(buffer: Buffer, at: number): string {
  return at < 0 ? '' : buffer.toString('latin1', at, at + 8);
}

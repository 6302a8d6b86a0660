/** One record of a container's log file: `<RFC 3339 nano> <stream> <F|P> <text>` (kubernetes/cri-api, "CRI logging"). */
export interface CriRecord {
  readonly timestampNs: bigint;
  readonly stream: string;
  /** The line goes on in the next record of the same stream. */
  readonly partial: boolean;
  readonly text: string;
}

const HEAD = /^(\S+) (stdout|stderr) ([FP])(?:\S*) ?/;

/** Undefined where the line is no CRI record. */
export function parseCri(line: string): CriRecord | undefined {
  const match = HEAD.exec(line);
  if (!match) return undefined;
  const [head, time = '', stream = '', tag] = match;
  const timestampNs = parseRfc3339Nanos(time);
  if (timestampNs === undefined) return undefined;
  return { timestampNs, stream, partial: tag === 'P', text: line.slice(head.length) };
}

/** RFC 3339 with up to nine decimals, in nanoseconds. */
export function parseRfc3339Nanos(text: string): bigint | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?(Z|[+-]\d{2}:?\d{2})$/.exec(text);
  if (!match) return undefined;
  const [, seconds = '', decimals = '', zone = 'Z'] = match;
  const ms = Date.parse(`${seconds.replace(' ', 'T')}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(decimals.padEnd(9, '0'));
}

import { Labels, type LogEntry } from '@kind-e2e/telemetry';
import { MalformedError } from '../../bytes/byte-reader.ts';
import { ProtobufReader } from '../../bytes/protobuf.ts';
import { IngestError } from '../ingest-error.ts';
import { parseStreamLabels } from './labels.ts';
import { type PushedLines, readProtobufLines } from './push-bytes.ts';

export interface PushedStream {
  readonly labels: Labels;
  readonly entries: readonly LogEntry[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new IngestError(400, `couldn't parse push request: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function noLabels(): IngestError {
  return new IngestError(400, 'error at least one label pair is required per stream');
}

/** Loki's push request in JSON (grafana.com/docs/loki, "Ingest logs"). */
export function parseLokiJson(body: Buffer): PushedStream[] {
  const parsed = jsonOf(body.toString('utf8'));
  const streams = (parsed as { streams?: unknown } | null)?.streams;
  if (!Array.isArray(streams)) throw new IngestError(400, "couldn't parse push request: streams should be a list");
  return streams.map((stream: { stream?: unknown; labels?: unknown; values?: unknown; entries?: unknown } | null) => {
    const { values } = stream ?? {};
    const labels = typeof stream?.labels === 'string' ? parseStreamLabels(stream.labels) : labelsOf(stream?.stream);
    if (labels.size === 0) throw noLabels();
    if (!Array.isArray(values)) throw new IngestError(400, "couldn't parse push request: values should be a list");
    return { labels, entries: values.map(entryOf) };
  });
}

/** The labels of a stream from their JSON. */
export function parseJsonLabels(json: string): Labels {
  const labels = labelsOf(jsonOf(json));
  if (labels.size === 0) throw noLabels();
  return labels;
}

function labelsOf(value: unknown): Labels {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new IngestError(400, "couldn't parse push request: stream should be an object");
  const pairs = Object.entries(value);
  for (const [name, text] of pairs) {
    if (!NAME.test(name))
      throw new IngestError(400, `couldn't parse labels: invalid label name ${JSON.stringify(name)}`);
    if (typeof text !== 'string')
      throw new IngestError(400, `couldn't parse push request: the value of label ${name} should be a string`);
  }
  return Labels.from(pairs as [string, string][]);
}

function entryOf(value: unknown): LogEntry {
  if (!Array.isArray(value) || value.length < 2)
    throw new IngestError(400, "couldn't parse push request: a value should be [timestamp, line]");
  const [time, line, metadata] = value as unknown[];
  if (typeof time !== 'string' || !/^-?\d{1,19}$/.test(time))
    throw new IngestError(
      400,
      `couldn't parse push request: timestamp ${JSON.stringify(time)} is no nanoseconds in a string`,
    );
  if (typeof line !== 'string') throw new IngestError(400, "couldn't parse push request: a line should be a string");
  const timestampNs = BigInt(time);
  if (metadata === undefined || metadata === null) return { timestampNs, line };
  if (typeof metadata !== 'object' || Array.isArray(metadata))
    throw new IngestError(400, "couldn't parse push request: structured metadata should be an object");
  const pairs = Object.entries(metadata);
  for (const [, text] of pairs)
    if (typeof text !== 'string')
      throw new IngestError(400, "couldn't parse push request: structured metadata should hold strings");
  return { timestampNs, line, structuredMetadata: Labels.from(pairs as [string, string][]) };
}

/** logproto.PushRequest (pkg/push/push.proto), after snappy. */
export function parseLokiProtobuf(body: Buffer): PushedStream[] {
  return unlessMalformed(() => {
    const streams: PushedStream[] = [];
    const request = new ProtobufReader(body);
    while (request.next()) {
      if (request.field === 1) streams.push(readStream(request.message()));
      else request.skipField();
    }
    return streams;
  });
}

/** The same as blocks of lines; undefined where it must be read entry by entry. */
export function parseLokiLines(body: Buffer, labelsOf: (text: string) => Labels): PushedLines[] | undefined {
  return unlessMalformed(() => readProtobufLines(body, labelsOf));
}

function unlessMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedError)
      throw new IngestError(400, `couldn't parse push request: ${error.message}`, { cause: error });
    throw error;
  }
}

function readStream(reader: ProtobufReader): PushedStream {
  let labels = Labels.EMPTY;
  const entries: LogEntry[] = [];
  while (reader.next()) {
    if (reader.field === 1) labels = parseStreamLabels(reader.text());
    else if (reader.field === 2) entries.push(readEntry(reader.message()));
    else reader.skipField();
  }
  if (labels.size === 0) throw noLabels();
  return { labels, entries };
}

function readEntry(reader: ProtobufReader): LogEntry {
  let timestampNs = 0n;
  let line = '';
  const pairs: [string, string][] = [];
  while (reader.next()) {
    if (reader.field === 1) {
      const time = reader.message();
      while (time.next()) {
        if (time.field === 1) timestampNs += time.bigint() * 1_000_000_000n;
        else if (time.field === 2) timestampNs += BigInt(time.int());
        else time.skipField();
      }
    } else if (reader.field === 2) line = reader.text();
    else if (reader.field === 3) {
      const pair = reader.message();
      let name = '';
      let value = '';
      while (pair.next()) {
        if (pair.field === 1) name = pair.text();
        else if (pair.field === 2) value = pair.text();
        else pair.skipField();
      }
      pairs.push([name, value]);
    } else reader.skipField();
  }
  // Go's time.Unix(…).UnixNano() wraps.
  const wrapped = BigInt.asIntN(64, timestampNs);
  return { timestampNs: wrapped, line, ...(pairs.length > 0 && { structuredMetadata: Labels.from(pairs) }) };
}

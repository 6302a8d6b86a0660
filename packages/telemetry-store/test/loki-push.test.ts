/** What becomes of log records by OTLP, and what Loki says of lines that it does not take. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeClock } from '@kind-e2e/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReceiver, openTelemetryStore, type TelemetryStore } from '../src/index.ts';
import { decodeOtlpLogs, labelName } from '../src/ingest/otlp/logs.ts';
import { temporaryDirectory } from './fixtures.ts';

const NOW = Date.UTC(2026, 0, 1);
const NS = `${NOW}000000`;
const SERVICE = { 'service.name': 'shop' };

interface Json {
  readonly [name: string]: unknown;
}

function otlpValue(value: unknown): Json {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(otlpValue) } };
  return { kvlistValue: { values: attributesOf(value as Json) } };
}

function attributesOf(object: Json): Json[] {
  return Object.entries(object).map(([key, value]) => ({ key, value: otlpValue(value) }));
}

function decoded(resource: Json, record: Json, scope: Json = {}) {
  const request = {
    resourceLogs: [
      { resource: { attributes: attributesOf(resource) }, scopeLogs: [{ scope, logRecords: [{ ...record }] }] },
    ],
  };
  const [stream] = decodeOtlpLogs(Buffer.from(JSON.stringify(request)), 'application/json', new FakeClock(NOW));
  const [entry] = stream?.entries ?? [];
  return { labels: stream?.labels.toObject(), entry, metadata: entry?.structuredMetadata?.toObject() };
}

describe('log records by OTLP', () => {
  it.each([
    ['service.name', SERVICE, { service_name: 'shop' }, {}],
    ['nothing that names a service', {}, { service_name: 'unknown_service' }, {}],
    ['an empty name', { 'service.name': '' }, { service_name: 'unknown_service' }, {}],
    [
      'a container instead',
      { 'k8s.container.name': 'c', 'k8s.pod.name': 'p' },
      { k8s_container_name: 'c', k8s_pod_name: 'p', service_name: 'c' },
      {},
    ],
    ['a job instead', { 'k8s.job.name': 'j' }, { k8s_job_name: 'j', service_name: 'j' }, {}],
    ['a label that is not one of the index', { app: 'a' }, { service_name: 'unknown_service' }, { app: 'a' }],
    ['attributes of no label', { ...SERVICE, 'host.name': 'h' }, { service_name: 'shop' }, { host_name: 'h' }],
    [
      'a map of attributes',
      { ...SERVICE, os: { name: 'x', v: { major: 1 } } },
      { service_name: 'shop' },
      { os_name: 'x', os_v_major: '1' },
    ],
    [
      'numbers, booleans and lists',
      { ...SERVICE, n: 1, f: 0.5, b: true, l: ['a', 1] },
      { service_name: 'shop' },
      { n: '1', f: '0.5', b: 'true', l: '["a",1]' },
    ],
    [
      'all places',
      {
        'cloud.region': 'eu',
        'k8s.namespace.name': 'n',
        'k8s.deployment.name': 'd',
        'deployment.environment.name': 'e',
        ...SERVICE,
      },
      {
        cloud_region: 'eu',
        k8s_namespace_name: 'n',
        k8s_deployment_name: 'd',
        deployment_environment_name: 'e',
        service_name: 'shop',
      },
      {},
    ],
  ])('has labels of the resource: %s', (_, resource, labels, metadata) => {
    const got = decoded(resource, { timeUnixNano: NS, body: { stringValue: 'x' } });
    expect(got.labels).toEqual(labels);
    expect(got.metadata).toEqual(metadata);
  });

  it.each<[string, Json, Json]>([
    ['both times', { timeUnixNano: NS, observedTimeUnixNano: '7' }, { observed_timestamp: '7' }],
    ['one that was only observed', { observedTimeUnixNano: NS }, {}],
    ['a severity', { severityNumber: 9, severityText: 'INFO' }, { severity_number: '9', severity_text: 'INFO' }],
    ['a severity by name', { severityNumber: 'SEVERITY_NUMBER_WARN2' }, { severity_number: '14' }],
    [
      'ids',
      { traceId: 'AB'.repeat(16), spanId: '01'.repeat(8) },
      { trace_id: 'ab'.repeat(16), span_id: '01'.repeat(8) },
    ],
    ['ids that are none', { traceId: '0'.repeat(32), spanId: '' }, {}],
    [
      'flags and what was dropped',
      { flags: 1, droppedAttributesCount: 3 },
      { flags: '1', dropped_attributes_count: '3' },
    ],
    [
      'attributes',
      { attributes: attributesOf({ 'a.b': 'c', d: { e: 1, f: { g: 'h' } } }) },
      { a_b: 'c', d_e: '1', d_f_g: 'h' },
    ],
    [
      'an attribute twice',
      { attributes: [...attributesOf({ 'a.b': '1' }), ...attributesOf({ a_b: '2' })] },
      { a_b: '2' },
    ],
  ])('has metadata: %s', (_, record, metadata) => {
    expect(decoded(SERVICE, record).metadata).toEqual(metadata);
  });

  it.each<[string, Json, Json]>([
    ['name and version', { name: 'lib', version: '2' }, { scope_name: 'lib', scope_version: '2' }],
    ['attributes', { attributes: attributesOf({ team: 'x' }) }, { team: 'x' }],
    ['what it dropped', { droppedAttributesCount: 2 }, { scope_dropped_attributes_count: '2' }],
  ])('has metadata of the scope: %s', (_, scope, metadata) => {
    expect(decoded(SERVICE, { timeUnixNano: NS }, scope).metadata).toEqual(metadata);
  });

  it.each<[unknown, string]>([
    ['text', 'text'],
    ['', ''],
    [7, '7'],
    [1.5, '1.5'],
    [true, 'true'],
    [['a', 1, false], '["a",1,false]'],
    [{ b: 1, a: { d: 'x', c: 'y' } }, '{"a":{"c":"y","d":"x"},"b":1}'],
    [{ html: '<a&b>' }, '{"html":"\\u003ca\\u0026b\\u003e"}'],
    [{}, '{}'],
  ])('has the body %j as the line %j', (body, line) => {
    expect(decoded(SERVICE, { timeUnixNano: NS, body: otlpValue(body) }).entry?.line).toBe(line);
  });

  it('has its own time, else that of its being seen, else now', () => {
    const at = (record: Json) => decoded(SERVICE, record).entry?.timestampNs;
    expect(at({ timeUnixNano: '5', observedTimeUnixNano: '6' })).toBe(5n);
    expect(at({ observedTimeUnixNano: '6' })).toBe(6n);
    expect(at({})).toBe(BigInt(NS));
  });

  it.each([
    ['k8s.pod.name', 'k8s_pod_name'],
    ['http-status', 'http_status'],
    ['1st', 'key_1st'],
    ['_x', 'key_x'],
    ['__x', '__x'],
    ['naïve', 'na_ve'],
    ['a😀b', 'a_b'],
  ])('has for the name %j the label %j', (name, label) => {
    expect(labelName(name)).toBe(label);
  });
});

describe('lines that are not taken', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let store: TelemetryStore;
  let server: Server;

  beforeEach(async () => {
    directory = temporaryDirectory();
    const limits = { maxLineBytes: 100, maxStreams: 4, maxLabels: 3, maxLabelValueLength: 50 };
    store = openTelemetryStore({ directory: directory.path, retention: {}, limits, clock: new FakeClock(NOW) });
    const receive = createReceiver({ store, clock: new FakeClock(NOW) });
    server = createServer((request, response) => void receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    server.close().closeAllConnections();
    await store.close();
    directory[Symbol.dispose]();
  });

  async function push(body: string, headers: Record<string, string> = {}): Promise<[number, string]> {
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/loki/api/v1/push`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return [answer.status, (await answer.text()).trimEnd()];
  }
  const at = (hours: number): string => String(BigInt(NOW + hours * 3_600_000) * 1_000_000n);
  const stream = (labels: Json, ...values: [string, string][]): Json => ({ stream: labels, values });
  const WEB = { app: 'web' };

  it.each<[string, Json[], number, string]>([
    [
      'too new',
      [stream(WEB, [at(1), 'a'])],
      400,
      `1 errors like: entry for stream '{app="web"}' has timestamp too new: 2026-01-01T01:00:00Z`,
    ],
    [
      'too old',
      [stream(WEB, [at(-24 * 30), 'a'])],
      400,
      `1 errors like: entry for stream '{app="web"}' has timestamp too old: 2025-12-02T00:00:00Z, oldest acceptable timestamp is: 2025-12-25T00:00:00Z`,
    ],
    [
      'too long, twice',
      [stream(WEB, [at(0), 'a'.repeat(101)], [at(0), 'b'.repeat(101)])],
      400,
      `2 errors like: Max entry size '100' bytes exceeded for stream '{app="web"}' while adding an entry with length '101' bytes`,
    ],
    [
      'of two kinds',
      [stream(WEB, [at(0), 'a'.repeat(101)], [at(1), 'b'], [at(0), 'good'])],
      400,
      `2 errors: 1 errors like: Max entry size '100' bytes exceeded for stream '{app="web"}' while adding an entry with length '101' bytes; 1 errors like: entry for stream '{app="web"}' has timestamp too new: 2026-01-01T01:00:00Z`,
    ],
    [
      'of too many labels',
      [stream({ a: '1', b: '2', c: '3', d: '4' }, [at(0), 'x'])],
      400,
      `1 errors like: entry for stream '{a="1", b="2", c="3", d="4"}' has 4 label names; limit 3`,
    ],
    [
      'of a long value',
      [stream({ a: 'v'.repeat(51) }, [at(0), 'x'])],
      400,
      `1 errors like: stream '{a="${'v'.repeat(51)}"}' has label value too long: '${'v'.repeat(51)}'`,
    ],
    [
      'far behind',
      [stream(WEB, [at(0), 'x'], [at(-2), 'y'], [at(-3), 'z'])],
      400,
      `entry with timestamp 2025-12-31 22:00:00 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2025-12-31T22:00:00Z, oldest acceptable timestamp is: 2025-12-31T23:00:00Z',\nentry with timestamp 2025-12-31 21:00:00 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2025-12-31T21:00:00Z, oldest acceptable timestamp is: 2025-12-31T23:00:00Z',\nuser 'fake', total ignored: 2 out of 3 for stream: {app="web"}`,
    ],
    [
      'of too many streams',
      ['1', '2', '3', '4', '5'].map((n) => stream({ n }, [at(0), 'x'])),
      429,
      `Maximum active stream limit exceeded when trying to create stream {n="5"}, reduce the number of active streams (reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 'fake'`,
    ],
  ])('are named: %s', async (_, streams, status, text) => {
    expect(await push(JSON.stringify({ streams }))).toEqual([status, text]);
  });

  it('says which compression it does not know', async () => {
    const body = JSON.stringify({ streams: [stream(WEB, [at(0), 'a'])] });
    expect(await push(body, { 'content-encoding': 'br' })).toEqual([400, 'Content-Encoding "br" not supported']);
    expect(await push(body, { 'content-encoding': 'snappy' })).toEqual([204, '']);
  });
});

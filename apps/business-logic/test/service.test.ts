import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const APP = join(import.meta.dirname, '..');

interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: string;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string };
}

/** The built service as a process, as a container would run it. */
describe('business-logic', () => {
  const spans: ZipkinSpan[] = [];
  let collector: Server;
  let service: ChildProcess;
  let base = '';
  let output = '';

  beforeAll(async () => {
    expect(spawnSync(process.execPath, ['build.mjs'], { cwd: APP, stdio: 'inherit' }).status).toBe(0);
    collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        spans.push(...(JSON.parse(Buffer.concat(chunks).toString()) as ZipkinSpan[]));
        response.writeHead(202).end();
      });
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const { port } = collector.address() as AddressInfo;
    service = spawn(process.execPath, ['--enable-source-maps', 'dist/app/main.cjs'], {
      cwd: APP,
      env: {
        HOST: '127.0.0.1',
        PORT: '0',
        SLOW_SECONDS: '0.05',
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_ZIPKIN_ENDPOINT: `http://127.0.0.1:${port}/api/v2/spans`,
        OTEL_BSP_SCHEDULE_DELAY: '20',
      },
    });
    service.stdout?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    base = await vi.waitFor(
      () => {
        const found = /listens on (http:\S+)/.exec(output)?.[1];
        if (!found) throw new Error('not yet');
        return found;
      },
      { timeout: 10_000 },
    );
  });

  afterAll(async () => {
    if (service.exitCode === null) service.kill('SIGKILL');
    collector.close();
  });

  it('takes the context in, gives its spans the right names, and logs the ids', async () => {
    const traceId = '0a75f8c5005afeb273ed1b59c5b7714d';
    const answer = await fetch(`${base}/slow-endpoint`, {
      headers: { 'x-b3-traceid': traceId, 'x-b3-spanid': '9e7a13010adc8a80', 'x-b3-sampled': '1' },
    });
    expect(await answer.json()).toEqual({ message: 'The data was transformed.', durationSeconds: 0.05 });
    const { server, transformation } = await vi.waitFor(() => {
      const own = spans.filter((span) => span.traceId === traceId);
      const server = own.find((span) => span.name === 'GET /slow-endpoint');
      const transformation = own.find((span) => span.name === 'data_transformation');
      if (!server || !transformation) throw new Error(`only ${JSON.stringify(own)}`);
      return { server, transformation };
    });
    expect(server).toMatchObject({
      parentId: '9e7a13010adc8a80',
      kind: 'SERVER',
      localEndpoint: { serviceName: 'business-logic' },
    });
    expect(transformation.parentId).toBe(server.id);
    expect(transformation.duration).toBeGreaterThanOrEqual(49_000);
    expect(output).toMatch(
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} INFO \\[views\\] \\[views\\.ts:\\d+\\] \\[trace_id=${traceId} span_id=${server.id} resource\\.service\\.name=business-logic\\] - Calling the slow function 'data_transformation'$`,
        'm',
      ),
    );
  });

  it('takes W3C trace context too', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await fetch(`${base}/fast-endpoint`, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
    await vi.waitFor(() => {
      expect(spans.find((span) => span.traceId === traceId)).toMatchObject({
        name: 'GET /fast-endpoint',
        parentId: '00f067aa0ba902b7',
      });
    });
  });

  it('serves OpenMetrics with exemplars, and traces no scrape', async () => {
    const answer = await fetch(`${base}/metrics`);
    expect(answer.headers.get('content-type')).toContain('application/openmetrics-text');
    const text = await answer.text();
    expect(text).toMatch(/http_requests_total\{method="GET",view="\/slow-endpoint",transport="http"\} 1/);
    expect(text).toMatch(/http_request_duration_seconds_bucket\{.*view="\/slow-endpoint".*# \{trace_id="[0-9a-f]{32}"/);
    expect(text.endsWith('# EOF\n')).toBe(true);
    expect(spans.some((span) => span.name.includes('metrics'))).toBe(false);
  });

  it('answers 404 with what there is', async () => {
    const answer = await fetch(`${base}/nothing`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: expect.stringContaining('/slow-endpoint') });
  });

  it('finishes what runs on SIGTERM, then exits with 0, whoever is connected and says nothing', async () => {
    const { hostname, port } = new URL(base);
    const silent = connect(Number(port), hostname);
    await once(silent, 'connect');
    silent.on('error', () => {});
    const open = fetch(`${base}/slow-endpoint`);
    await vi.waitFor(() => {
      expect(output.match(/Calling the slow function/g)).toHaveLength(2);
    });
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    expect((await open).status).toBe(200);
    expect(await ended).toEqual([0, null]);
  });

  it('refuses configuration that it cannot use', () => {
    const result = spawnSync(process.execPath, ['dist/app/main.cjs'], {
      cwd: APP,
      env: { PORT: 'eighty' },
      encoding: 'utf8',
    });
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('PORT=eighty is not a number from 0 to 65535');
  });
});

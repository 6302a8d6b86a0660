import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const APP = join(import.meta.dirname, '..');

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
}

/** The built service as a process, with a stand-in for business-logic and an OTLP collector in this one. */
describe('front-end', () => {
  const spans: OtlpSpan[] = [];
  let backend: Server;
  let service: ChildProcess;
  let base = '';
  let output = '';
  let seen: IncomingHttpHeaders = {};
  let answerWith: { status: number; body: string } = { status: 200, body: '{"message":"hello"}' };

  beforeAll(async () => {
    expect(spawnSync(process.execPath, ['build.mjs'], { cwd: APP, stdio: 'inherit' }).status).toBe(0);
    backend = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/traces') {
          const body = JSON.parse(Buffer.concat(chunks).toString());
          for (const resource of body.resourceSpans)
            for (const scope of resource.scopeSpans) spans.push(...(scope.spans as OtlpSpan[]));
          response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
          return;
        }
        seen = request.headers;
        response.writeHead(answerWith.status, { 'content-type': 'application/json' }).end(answerWith.body);
      });
    });
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const { port } = backend.address() as AddressInfo;
    service = spawn(process.execPath, ['--enable-source-maps', 'dist/app/main.cjs'], {
      cwd: APP,
      env: {
        HOST: '127.0.0.1',
        PORT: '0',
        BL_HOST: `127.0.0.1:${port}`,
        BL_TIMEOUT_SECONDS: '5',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
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

  afterAll(() => {
    service.kill('SIGKILL');
    backend.close();
  });

  it('asks business-logic in a span of its own and passes the context on in both forms', async () => {
    const answer = await fetch(`${base}/slow-page`, { headers: { accept: 'application/json' } });
    const result = (await answer.json()) as { traceId: string; traceUrl: string; answer: unknown };
    expect(result).toMatchObject({ page: 'slow', status: 200, answer: { message: 'hello' } });
    expect(answer.headers.get('x-trace-id')).toBe(result.traceId);
    expect(result.traceUrl).toBe(`/jaeger/trace/${result.traceId}`);
    expect(seen['x-b3-traceid']).toBe(result.traceId);
    expect(seen.traceparent).toBe(`00-${result.traceId}-${seen['x-b3-spanid']}-01`);
    const own = await vi.waitFor(() => {
      const found = spans.filter((span) => span.traceId === result.traceId);
      expect(found.map((span) => span.name)).toEqual(
        expect.arrayContaining(['GET /slow-page', 'slow-page-custom-span', 'request handler - /slow-page', 'GET']),
      );
      return found;
    });
    const byName = (name: string): OtlpSpan | undefined => own.find((span) => span.name === name);
    expect(byName('slow-page-custom-span')?.parentSpanId).toBe(byName('GET /slow-page')?.spanId);
    expect(byName('GET')).toMatchObject({
      parentSpanId: byName('slow-page-custom-span')?.spanId,
      spanId: seen['x-b3-spanid'],
    });
  });

  it('says what business-logic failed with', async () => {
    answerWith = { status: 503, body: 'no healthy upstream' };
    const answer = await fetch(`${base}/fast-page`, { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ page: 'fast', status: 502, answer: 'no healthy upstream' });
    answerWith = { status: 200, body: '{"message":"hello"}' };
  });

  it('shows a page to those who ask for one, with what came back escaped', async () => {
    answerWith = { status: 200, body: '{"message":"<script>alert(1)</script>"}' };
    const answer = await fetch(`${base}/fast-page`, { headers: { accept: 'text/html' } });
    const html = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(html).toContain('See the trace of this request');
    expect(html).not.toContain('<script>alert');
    answerWith = { status: 200, body: '{"message":"hello"}' };
  });

  it('serves the landing page, its files, health and metrics', async () => {
    const page = await (await fetch(`${base}/`)).text();
    expect(page).toContain('Slow page');
    expect(page).toContain('Fast page');
    for (const path of ['/style.css', '/page.js', '/favicon.svg', '/healthz', '/readyz'])
      expect((await fetch(`${base}${path}`)).status, path).toBe(200);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toMatch(/http_responses_total\{status="502",method="GET",view="\/fast-page",transport="http"\} 1/);
    expect((await fetch(`${base}/nothing`)).status).toBe(404);
  });

  it('says so when business-logic does not answer', async () => {
    backend.close();
    backend.closeAllConnections();
    const answer = await fetch(`${base}/fast-page`, { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({
      answer: { error: expect.stringContaining('business-logic did not answer at http://127.0.0.1:') },
    });
  });
});

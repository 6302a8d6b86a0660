import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { OPENMETRICS_CONTENT_TYPE, TEXT_CONTENT_TYPE } from './expose.ts';
import { fetchMetrics, mergeMetrics } from './merge.ts';

const proxy = (isOpen: boolean): string => (isOpen ? 'a_total 1\n# EOF\n' : 'a_total 1\n');

describe('mergeMetrics', () => {
  it('keeps one end mark in OpenMetrics', () => {
    const merged = mergeMetrics(proxy, { text: 'b 2\n# EOF\n', contentType: OPENMETRICS_CONTENT_TYPE }, true);
    expect(merged).toEqual({ text: 'a_total 1\nb 2\n# EOF\n', contentType: OPENMETRICS_CONTENT_TYPE });
  });

  it('speaks the text format with an application that does', () => {
    const merged = mergeMetrics(proxy, { text: 'b 2\n', contentType: 'text/plain' }, true);
    expect(merged).toEqual({ text: 'a_total 1\nb 2\n', contentType: TEXT_CONTENT_TYPE });
  });
});

describe('fetchMetrics', () => {
  it('says what the application answered with', async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/metrics' ? 200 : 500, { 'content-type': 'text/plain' });
      response.end(`accept ${request.headers.accept}\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await fetchMetrics(`${base}/metrics`, 'x/y')).toEqual({ text: 'accept x/y\n', contentType: 'text/plain' });
    await expect(fetchMetrics(`${base}/other`, '')).rejects.toThrow('status 500');
    server.close();
    await expect(fetchMetrics('http://127.0.0.1:1/metrics', '')).rejects.toThrow('ECONNREFUSED');
  });
});

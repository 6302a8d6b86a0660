import { get } from 'node:http';
import { OPENMETRICS_CONTENT_TYPE, TEXT_CONTENT_TYPE } from './expose.ts';

/** What an application's metrics endpoint answered. */
export interface ApplicationMetrics {
  readonly text: string;
  readonly contentType: string;
}

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 32 * 1024 * 1024;
const END_OF_OPENMETRICS = /# EOF\n?$/;

/** Reads an application's metrics; rejects on another status than 200, on silence and on too much. */
export function fetchMetrics(url: string, accept: string): Promise<ApplicationMetrics> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: accept === '' ? {} : { accept }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_BYTES) request.destroy(new Error(`more than ${MAX_BYTES} bytes`));
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
        else
          resolve({
            text: Buffer.concat(chunks).toString('utf8'),
            contentType: response.headers['content-type'] ?? TEXT_CONTENT_TYPE,
          });
      });
    });
    request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
  });
}

/**
 * One exposition of a proxy's metrics and its application's, as Istio's metrics merging gives it (istio-agent,
 * pilot/cmd/pilot-agent/status `handleStats`). The application decides on the format, since its text is taken as it is.
 */
export function mergeMetrics(
  proxyMetrics: (openMetrics: boolean) => string,
  application: ApplicationMetrics,
  wantsOpenMetrics: boolean,
): { readonly text: string; readonly contentType: string } {
  const isOpen = application.contentType.startsWith('application/openmetrics-text');
  if (!isOpen) return { text: endLine(proxyMetrics(false)) + application.text, contentType: TEXT_CONTENT_TYPE };
  const text = `${endLine(proxyMetrics(true).replace(END_OF_OPENMETRICS, ''))}${application.text}`;
  return { text, contentType: wantsOpenMetrics ? OPENMETRICS_CONTENT_TYPE : application.contentType };
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

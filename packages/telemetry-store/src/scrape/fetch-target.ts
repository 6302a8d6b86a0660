import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { HttpClientConfig, ScrapeConfig } from './config-model.ts';

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);
/** A body beyond this is refused even where the configuration sets no limit. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;
const MAX_REDIRECTS = 10;
const TEXT = 'text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
const OPEN_METRICS =
  'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5';
const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.8';

export interface FetchedTarget {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Fetches targets of one job over connections that it keeps. */
export class TargetClient implements Disposable {
  readonly #config: ScrapeConfig;
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 4 });
  #https: HttpsAgent | undefined;

  constructor(config: ScrapeConfig) {
    this.#config = config;
  }

  async fetch(url: string, timeoutMs: number, signal: AbortSignal): Promise<FetchedTarget> {
    const config = this.#config;
    const headers: Record<string, string> = {
      accept: `${config.scrapeNativeHistograms ? `${PROTOBUF},` : ''}${OPEN_METRICS},${TEXT}`,
      'accept-encoding': 'gzip',
      'user-agent': 'Prometheus/3.5.0',
      'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000),
      ...(await authorizationOf(config)),
    };
    let target = url;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#request(target, headers, signal);
      const { location } = response.headers;
      const status = response.statusCode ?? 0;
      if (config.followRedirects && location && status >= 300 && status < 400 && redirects < MAX_REDIRECTS) {
        response.resume();
        target = new URL(location, target).href;
        continue;
      }
      if (status !== 200) {
        response.resume();
        throw new Error(`server returned HTTP status ${status} ${response.statusMessage ?? ''}`.trim());
      }
      return { contentType: response.headers['content-type'] ?? '', body: await this.#body(response) };
    }
  }

  async #request(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> {
    const isTls = url.startsWith('https:');
    const agent = isTls ? await this.#tlsAgent() : this.#http;
    return new Promise((resolve, reject) => {
      const send = isTls ? httpsRequest : httpRequest;
      const request = send(url, { agent, headers, signal }, resolve);
      request.on('error', reject);
      request.end();
    });
  }

  async #tlsAgent(): Promise<HttpsAgent> {
    if (this.#https) return this.#https;
    const { tls } = this.#config;
    const material = async (text: string | undefined, file: string | undefined): Promise<string | undefined> =>
      text ?? (file === undefined ? undefined : await readFile(file, 'utf8'));
    const [ca, cert, key] = await Promise.all([
      material(tls?.ca, tls?.caFile),
      material(tls?.cert, tls?.certFile),
      material(tls?.key, tls?.keyFile),
    ]);
    this.#https ??= new HttpsAgent({
      keepAlive: true,
      maxSockets: 4,
      rejectUnauthorized: !tls?.insecureSkipVerify,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(tls?.serverName !== undefined && { servername: tls.serverName }),
    });
    return this.#https;
  }

  async #body(response: IncomingMessage): Promise<Buffer> {
    const limit = this.#config.bodySizeLimit || MAX_BODY_BYTES;
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of response) {
      length += (part as Buffer).length;
      if (length > limit) {
        response.destroy();
        throw new Error('body size limit exceeded');
      }
      parts.push(part as Buffer);
    }
    const raw = Buffer.concat(parts);
    if (response.headers['content-encoding'] !== 'gzip') return raw;
    try {
      return await unzip(raw, { maxOutputLength: limit });
    } catch (error) {
      throw error instanceof RangeError ? new Error('body size limit exceeded') : error;
    }
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https?.destroy();
  }
}

/** Read anew each time: tokens of service accounts rotate. */
async function authorizationOf({ authorization, basicAuth }: HttpClientConfig): Promise<Record<string, string>> {
  if (basicAuth) {
    const password =
      basicAuth.password ?? (basicAuth.passwordFile ? (await readFile(basicAuth.passwordFile, 'utf8')).trim() : '');
    return { authorization: `Basic ${Buffer.from(`${basicAuth.username}:${password}`).toString('base64')}` };
  }
  if (!authorization) return {};
  const credentials =
    authorization.credentials ??
    (authorization.credentialsFile ? (await readFile(authorization.credentialsFile, 'utf8')).trim() : '');
  return { authorization: `${authorization.type} ${credentials}` };
}

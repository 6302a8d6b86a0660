import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../body.ts';
import { IngestError } from '../ingest-error.ts';
import { type IngestRoute, mediaTypeOf, type RouteContext, sendText } from '../receiver.ts';
import { encodeZipkin } from './encode.ts';
import type { ZipkinSpan } from './model.ts';
import { parseZipkinJson, parseZipkinProtobuf, parseZipkinV1Json } from './parse.ts';
import { scanZipkinJson } from './scan.ts';

/** POST /api/v2/spans and /api/v1/spans, answered as zipkin-server does: 202 without a body. */
export function zipkinRoutes(context: RouteContext): IngestRoute[] {
  const nowUs = (): number => context.clock.now() * 1000;
  const encode = (spans: readonly ZipkinSpan[]): Buffer => encodeZipkin(spans, nowUs());
  const take = async (otlp: Buffer, response: ServerResponse): Promise<void> => {
    const { rejected } = await context.store.traces.appendRequest(otlp);
    if (rejected.length > 0)
      throw new IngestError(
        rejected.every(({ reason }) => reason === 'rate limit exceeded') ? 429 : 400,
        rejected.map(({ reason, count }) => `${count} spans refused: ${reason}`).join('; '),
      );
    response.writeHead(202, { 'content-length': 0 });
    response.end();
  };
  const fail = (_request: IncomingMessage, response: ServerResponse, error: IngestError): void =>
    sendText(response, error.status, error.message);
  const v2 = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request, context.limits);
    const type = mediaTypeOf(request);
    if (body.length === 0) throw new IngestError(400, 'Empty POST body');
    const otlp =
      type === 'application/x-protobuf'
        ? encode(parseZipkinProtobuf(body))
        : (scanZipkinJson(body, nowUs()) ?? encode(parseZipkinJson(body)));
    await take(otlp, response);
  };
  const v1 = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const type = mediaTypeOf(request);
    if (type === 'application/x-thrift' || type === 'application/vnd.apache.thrift.binary')
      throw new IngestError(415, 'Zipkin v1 Thrift is not supported: send JSON to /api/v2/spans, or OTLP');
    const body = await readBody(request, context.limits);
    if (body.length === 0) throw new IngestError(400, 'Empty POST body');
    await take(encode(parseZipkinV1Json(body)), response);
  };
  const thrift = async (): Promise<void> => {
    throw new IngestError(
      415,
      'Jaeger Thrift is not supported: export OTLP to port 4318 (HTTP) or 4317 (gRPC), or Zipkin JSON to port 9411',
    );
  };
  const prefixes = ['', '/zipkin'];
  return [
    ...prefixes.flatMap((prefix): IngestRoute[] => [
      { method: 'POST', path: `${prefix}/api/v2/spans`, handle: v2, fail },
      { method: 'POST', path: `${prefix}/api/v1/spans`, handle: v1, fail },
    ]),
    { method: 'POST', path: '/api/traces', handle: thrift, fail },
    { method: 'POST', path: '/jaeger/api/traces', handle: thrift, fail },
    // Jaeger's agent and collector tell SDKs how to sample (port 5778): everything, as the mesh does.
    ...['/sampling', '/api/sampling'].map(
      (path): IngestRoute => ({
        method: 'GET',
        path,
        fail,
        handle: async (_request, response, url) => {
          if (url.searchParams.getAll('service').length !== 1)
            throw new IngestError(400, "'service' parameter must be provided once");
          const body = JSON.stringify({ strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate: 1 } });
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(body);
        },
      }),
    ),
  ];
}

// A request through the gateway must succeed, and its trace must show it in both apps.
const gateway = process.env.GATEWAY_URL ?? 'http://localhost:8080';
const DEADLINE_MS = 30_000;
const traceId = crypto.randomUUID().replaceAll('-', '');
const spanId = traceId.slice(0, 16);

const answer = await fetch(`${gateway}/demo-app/slow-page`, {
  headers: {
    traceparent: `00-${traceId}-${spanId}-01`,
    'x-b3-traceid': traceId,
    'x-b3-spanid': spanId,
    'x-b3-sampled': '1',
  },
});
await answer.text();
if (!answer.ok) throw new Error(`${gateway}/demo-app/slow-page answered ${answer.status}`);
process.stdout.write(`GET /demo-app/slow-page: ${answer.status}, trace ${traceId}\n`);

const started = Date.now();
for (;;) {
  const found = await fetch(`${gateway}/jaeger/api/traces/${traceId}`);
  const { data } = found.ok ? await found.json() : { data: [] };
  const trace = data?.[0];
  const names = trace?.spans.map((span) => span.operationName) ?? [];
  if (names.includes('data_transformation')) {
    const services = new Set(Object.values(trace.processes).map((process) => process.serviceName));
    process.stdout.write(`the trace has ${names.length} spans of ${services.size} services\n`);
    break;
  }
  if (Date.now() - started > DEADLINE_MS)
    throw new Error(`the trace ${traceId} never showed data_transformation; it has: ${names.join(', ') || 'nothing'}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
}

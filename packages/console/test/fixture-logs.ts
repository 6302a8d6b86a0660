import { noise, WORKLOADS } from './fixture-metrics.ts';
import { tracesBetween } from './fixture-traces.ts';

export interface FixtureLine {
  ns: bigint;
  labels: Record<string, string>;
  line: string;
}

const labelsOf = (app: 'front-end' | 'business-logic', index = 0): Record<string, string> => ({
  app,
  namespace: 'default',
  pod: WORKLOADS.find((item) => item.app === app)?.pods[index] ?? '',
  container: app,
  node_name: 'kind-e2e-worker',
});
const stamp = (us: number): string =>
  new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', '').replace('.', ',');

export function linesBetween(fromSecond: number, toSecond: number, nowSecond: number): FixtureLine[] {
  const lines: FixtureLine[] = [];
  for (const trace of tracesBetween(fromSecond - 12, toSecond + 12, nowSecond)) {
    const find = (part: string) => trace.spans.find((span) => span.operationName.startsWith(part));
    const server = find('GET /slow-endpoint') ?? find('GET /fast-endpoint');
    const page = find('GET /slow-page') ?? find('GET /fast-page');
    if (!server || !page) continue;
    const isSlow = server.operationName.includes('slow');
    const failed = server.tags.some((tag) => tag.key === 'error');
    const put = (
      us: number,
      labels: Record<string, string>,
      level: string,
      where: string,
      span: string,
      service: string,
      text: string,
    ): void => {
      lines.push({
        ns: BigInt(Math.floor(us)) * 1000n + 321n,
        labels,
        line: `${stamp(us)} ${level} [${where}] [${where}.ts:47] [trace_id=${trace.traceID} span_id=${span} resource.service.name=${service}] - ${text}`,
      });
    };
    put(
      page.startTime + 200,
      labelsOf('front-end', 0),
      'INFO',
      'pages',
      page.spanID,
      'front-end',
      `Serving '${isSlow ? 'slow' : 'fast'}-page'`,
    );
    put(
      server.startTime + 300,
      labelsOf('business-logic'),
      'INFO',
      'views',
      server.spanID,
      'business-logic',
      `Calling the ${isSlow ? 'slow' : 'fast'} function 'data_transformation'`,
    );
    if (server.duration > 40_000 && !isSlow)
      put(
        server.startTime + server.duration,
        labelsOf('business-logic'),
        'WARNING',
        'views',
        server.spanID,
        'business-logic',
        `'data_transformation' took ${Math.round(server.duration / 1000)} ms`,
      );
    if (failed)
      put(
        server.startTime + server.duration,
        labelsOf('business-logic'),
        'ERROR',
        'views',
        server.spanID,
        'business-logic',
        'TransformationError: row 611 has no key',
      );
  }
  for (let second = Math.ceil(fromSecond / 7) * 7; second <= Math.min(toSecond, nowSecond); second += 7) {
    lines.push({
      ns: BigInt(second) * 1_000_000_000n + BigInt(Math.floor(noise(3, second) * 1e9)),
      labels: {
        app: 'istio-ingressgateway',
        namespace: 'istio-system',
        pod: 'istio-ingressgateway-5c9d8b7f6d-lq2n4',
        container: 'istio-proxy',
        node_name: 'kind-e2e-worker2',
      },
      line: `[${new Date(second * 1000).toISOString()}] "GET /demo-app/fast-page HTTP/1.1" 200 - via_upstream - "-" 0 412 ${8 + (second % 9)} ${7 + (second % 9)} "127.0.0.1" "Mozilla/5.0" "front-end.default.svc.cluster.local"`,
    });
  }
  return lines
    .filter(
      (line) =>
        line.ns >= BigInt(Math.floor(fromSecond)) * 1_000_000_000n &&
        line.ns <= BigInt(Math.ceil(toSecond)) * 1_000_000_000n,
    )
    .sort((a, b) => (a.ns < b.ns ? 1 : -1));
}

export function filterLines(lines: FixtureLine[], query: string): FixtureLine[] {
  const selector = /\{([^}]*)\}/.exec(query)?.[1] ?? '';
  const matchers = [...selector.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)];
  const filters = [...query.replace(/\{[^}]*\}/, '').matchAll(/(\|=|!=|\|~|!~)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g)];
  return lines.filter(
    (line) =>
      matchers.every(([, label, op, value]) => {
        const own = line.labels[label ?? ''] ?? '';
        if (op === '=') return own === value;
        if (op === '!=') return own !== value;
        return new RegExp(`^(?:${value})$`).test(own) === (op === '=~');
      }) &&
      filters.every(([, op, quoted, raw]) => {
        const needle = quoted ?? raw ?? '';
        const has = op?.endsWith('~')
          ? new RegExp(needle.replace(/^\(\?i\)/, ''), needle.startsWith('(?i)') ? 'i' : '').test(line.line)
          : line.line.includes(needle);
        return has === op?.startsWith('|');
      }),
  );
}

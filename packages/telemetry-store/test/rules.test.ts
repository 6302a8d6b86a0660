import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Labels } from '@kind-e2e/telemetry';
import { describe, expect, it } from 'vitest';
import { importOpenMetrics, openTelemetryStore, parseRuleFile, RuleEngine, runSql, SpanMetrics } from '../src/index.ts';
import { makeTrace, matcher, temporaryDirectory } from './fixtures.ts';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('RuleEngine', () => {
  it('records, alerts, tells the webhook, and says when it is over', async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path });
    // biome-ignore lint/suspicious/noExplicitAny: looked at field by field
    const heard: any[] = [];
    const hook = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        heard.push(JSON.parse(body));
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const set = (value: number) =>
      store.metrics.append([
        { labels: Labels.fromObject({ __name__: 'errors', app: 'web' }), timestampMs: Date.now(), value },
      ]);
    await set(5);
    const yaml = `
groups:
  - name: g
    interval: 50ms
    rules:
      - record: app:errors:sum
        expr: sum by (app) (errors)
        labels: { team: a }
      - alert: TooMany
        expr: errors > 3
        for: 100ms
        labels: { severity: page }
        annotations: { summary: "{{ $labels.app }} has {{ $value | humanize }} errors" }
`;
    await using engine = new RuleEngine({
      metrics: store.metrics,
      files: [{ name: 'rules.yaml', yaml }],
      webhooks: [`http://127.0.0.1:${(hook.address() as AddressInfo).port}/`],
    });
    await until(() => heard.length > 0);
    expect(heard[0]).toMatchObject({
      version: '4',
      status: 'firing',
      groupLabels: { alertname: 'TooMany' },
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'TooMany', app: 'web', severity: 'page' },
          annotations: { summary: 'web has 5 errors' },
        },
      ],
    });
    expect(engine.alerts()).toMatchObject([{ state: 'firing', value: '5e+00' }]);
    expect(engine.groups()[0]?.rules.map((rule) => rule.health)).toEqual(['ok', 'ok']);
    const recorded = store.metrics.select({
      matchers: [matcher('__name__', 'app:errors:sum')],
      startMs: 0,
      endMs: Infinity,
    });
    expect(recorded[0]?.labels.toObject()).toEqual({ __name__: 'app:errors:sum', app: 'web', team: 'a' });
    await set(1);
    await until(() => heard.length > 1);
    expect(heard[1]).toMatchObject({ status: 'resolved' });
    expect(engine.alerts()).toEqual([]);
    await new Promise((resolve) => hook.close(resolve));
  });

  it('names what is wrong with a file', () => {
    const parse = (rule: string) => parseRuleFile({ name: 'f', yaml: `groups: [{ name: g, rules: [${rule}] }]` }, 1000);
    expect(() => parse('{ record: a, expr: "sum(" }')).toThrow('f.groups[0].rules[0].expr: could not parse expression');
    expect(() => parse('{ expr: a }')).toThrow("one of 'record' or 'alert' must be set");
    const experimental = "{ record: a, expr: 'limitk(1, x[5m*2])' }";
    expect(() => parse(experimental)).toThrow('experimental');
    const range = "{ record: a, expr: 'rate(x[5m*2])' }";
    const file = { name: 'f', yaml: `groups: [{ name: g, rules: [${range}] }]` };
    expect(parseRuleFile(file, 1000, { durationExpressions: true })[0]?.rules).toHaveLength(1);
    expect(() => parse('{ record: a, expr: b, colour: red }')).toThrow('f.groups[0].rules[0].colour');
  });
});

describe('what is made of other signals', () => {
  it('counts spans, with exemplars that lead to their trace', async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    await using _metrics = new SpanMetrics({ traces: store.traces, writer: store.metrics, intervalMs: 20 });
    const trace = makeTrace(5, 1_000_000_000n, 300);
    await store.traces.append(trace);
    const calls = () =>
      store.metrics.select({
        matchers: [matcher('__name__', 'traces_span_metrics_calls_total'), matcher('status_code', 'STATUS_CODE_ERROR')],
        startMs: 0,
        endMs: Infinity,
      });
    await until(() => calls().length > 0);
    expect(calls()[0]?.labels.toObject()).toEqual({
      __name__: 'traces_span_metrics_calls_total',
      service_name: 'business-logic',
      span_name: 'data_transformation',
      span_kind: 'SPAN_KIND_INTERNAL',
      status_code: 'STATUS_CODE_ERROR',
    });
    const [exemplar] = store.metrics.exemplars(
      [[matcher('__name__', 'traces_span_metrics_duration_milliseconds_bucket')]],
      0,
      Infinity,
    );
    expect(exemplar?.exemplars[0]?.labels.get('trace_id')).toBe(trace[0]?.traceId);
  });

  it('imports OpenMetrics and answers SQL', async () => {
    using directory = temporaryDirectory();
    await using store = openTelemetryStore({ directory: directory.path, retention: 'off' });
    const text =
      '# TYPE a counter\na_total{x="1"} 1 1700000000\na_total{x="1"} 2 1700000010\na_total{x="2"} 5 1700000000\n# EOF\n';
    expect(await importOpenMetrics(text, store.metrics)).toEqual({ accepted: 3, rejected: [] });
    await expect(importOpenMetrics('a 1\n# EOF\n', store.metrics)).rejects.toThrow('expected timestamp');
    await store.traces.append(makeTrace(1, 1_700_000_000_000_000_000n));
    await store.logs.append([
      { labels: Labels.fromObject({ app: 'w' }), entries: [{ timestampNs: 1_700_000_000_000_000_000n, line: 'hi' }] },
    ]);
    const ask = (sql: string) => runSql(sql, { ...store, startMs: 1_699_999_000_000, endMs: 1_700_001_000_000 });
    expect(ask("select labels->>'x' as x, max(value) as m from samples group by 1 order by 1")).toEqual({
      columns: ['x', 'm'],
      rows: [
        ['1', 2],
        ['2', 5],
      ],
      truncated: [],
    });
    expect(ask('select service, count(*) from spans group by 1 order by 1').rows).toEqual([
      ['business-logic', 2],
      ['front-end', 2],
    ]);
    expect(ask('select line, time_ns from logs').rows).toEqual([['hi', 1_700_000_000_000_000_000n]]);
    for (const bad of ['drop table spans', 'select * from nothing', "attach 'x' as y"])
      expect(() => ask(bad), bad).toThrow('sql: ');
  });
});

import { expect, it } from 'vitest';
import { unitOfQuery } from './unit-of-query.ts';

it.each([
  ['process_resident_memory_bytes', 'bytes'],
  ['sum by (pod) (container_memory_working_set_bytes{namespace="default"}) > 1e6', 'bytes'],
  ['sum by (view) (rate(http_requests_total[1m]))', 'reqps'],
  ['rate(http_exceptions_total[1m])', 'cps'],
  ['rate(istio_response_bytes_sum[1m])', 'binBps'],
  ['sum(rate(container_cpu_usage_seconds_total[1m]))', 'cores'],
  ['histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))', 's'],
  ['histogram_quantile(0.5, sum by (le) (rate(istio_request_duration_milliseconds_bucket[1m])))', 'ms'],
  ['avg_over_time(scrape_duration_seconds[5m])', 's'],
  ['up', undefined],
  ['http_requests_total', undefined],
  ['count(process_resident_memory_bytes)', undefined],
  ['rate(a_bytes_sum[1m]) / rate(a_bytes_count[1m])', undefined],
  ['process_resident_memory_bytes / 1024', undefined],
  ['process_resident_memory_bytes or scrape_duration_seconds', undefined],
  ['sum by (', undefined],
  ['', undefined],
])('knows the unit of %s', (query, unit) => {
  expect(unitOfQuery(query)).toBe(unit);
});

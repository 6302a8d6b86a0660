import { describe, expect, it } from 'vitest';
import { APPLICATION_METRICS_ANNOTATION, applicationMetricsOf, mergedScrapeAnnotations } from './metrics-merging.ts';

describe('metrics merging', () => {
  it('leads the scraper to the sidecar and remembers where the application answers', () => {
    const merged = mergedScrapeAnnotations({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8000' });
    expect(merged).toEqual({
      [APPLICATION_METRICS_ANNOTATION]: '{"port":8000,"path":"/metrics"}',
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '15020',
      'prometheus.io/path': '/stats/prometheus',
    });
    expect(applicationMetricsOf(merged)).toEqual({ port: 8000, path: '/metrics' });
  });

  it('scrapes the proxy alone where the application has no metrics, and nothing where the pod says so', () => {
    expect(applicationMetricsOf(mergedScrapeAnnotations({}))).toBeUndefined();
    expect(mergedScrapeAnnotations({})['prometheus.io/port']).toBe('15020');
    expect(mergedScrapeAnnotations({ 'prometheus.io/scrape': 'false' })).toEqual({});
    expect(mergedScrapeAnnotations({ 'prometheus.istio.io/merge-metrics': 'false' })).toEqual({});
  });

  it('takes no annotation that it cannot read', () => {
    for (const text of ['{', '{}', '{"port":"a","path":1}', 'null'])
      expect(applicationMetricsOf({ [APPLICATION_METRICS_ANNOTATION]: text })).toBeUndefined();
  });
});

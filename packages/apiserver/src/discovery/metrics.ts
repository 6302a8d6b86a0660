import type { ApiContext } from '../api-context.ts';

/** `/metrics` in Prometheus' text format, under kube-apiserver's names. */
export function metricsText({ store, requests, queue }: ApiContext): string {
  const lines: string[] = [];
  const metric = (name: string, type: 'counter' | 'gauge', help: string): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  };
  metric('apiserver_request_total', 'counter', 'Requests by verb, resource and code.');
  for (const [labels, count] of requests.counts) lines.push(`apiserver_request_total{${labels}} ${count}`);
  metric('apiserver_current_inflight_requests', 'gauge', 'Requests that are worked on.');
  lines.push(`apiserver_current_inflight_requests ${queue.running}`);
  metric('apiserver_current_inqueue_requests', 'gauge', 'Requests that wait for their turn.');
  lines.push(`apiserver_current_inqueue_requests ${queue.waiting}`);
  metric('apiserver_flowcontrol_rejected_requests_total', 'counter', 'Requests that were refused with 429.');
  lines.push(`apiserver_flowcontrol_rejected_requests_total ${queue.rejected}`);
  metric('apiserver_resource_objects', 'gauge', 'Stored objects by resource.');
  metric('apiserver_longrunning_requests', 'gauge', 'Open watches by resource.');
  for (const collection of store.collections) {
    const [resource = '', group = ''] = collection.resource.split('/').reverse();
    const labels = `group="${group}",resource="${resource}"`;
    if (collection.size > 0) lines.push(`apiserver_resource_objects{${labels}} ${collection.size}`);
    if (collection.hub.size > 0)
      lines.push(`apiserver_longrunning_requests{${labels},verb="WATCH"} ${collection.hub.size}`);
  }
  metric('process_resident_memory_bytes', 'gauge', 'Resident memory.');
  lines.push(`process_resident_memory_bytes ${process.memoryUsage.rss()}`);
  return `${lines.join('\n')}\n`;
}

/** Counts of answered requests. */
export class RequestCounts {
  readonly #counts = new Map<string, number>();

  get counts(): Iterable<[string, number]> {
    return this.#counts;
  }

  add(verb: string, group: string, resource: string, code: number): void {
    const labels = `code="${code}",group="${group}",resource="${resource}",verb="${verb.toUpperCase()}"`;
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1);
  }
}

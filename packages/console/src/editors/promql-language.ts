import type { Extension } from '@codemirror/state';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';

/** PromQL with completion of metrics, labels and values from the running Prometheus, and its linter. */
export function createPromqlLanguage(): Extension {
  return new PromQLExtension().setComplete({ remote: { url: '/prometheus', httpMethod: 'GET' } }).asExtension();
}

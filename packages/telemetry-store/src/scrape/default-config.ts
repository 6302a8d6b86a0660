/** What the lab scrapes unless told otherwise: pods by their annotations, proxies, kubelets, the API server. */
export interface DefaultScrapeConfigOptions {
  /** Default 5 s. */
  readonly intervalSeconds?: number;
  /** For the kubelets and the API server; without them these are not scraped. */
  readonly tokenFile?: string;
  readonly caFile?: string;
}

/** A configuration file of Prometheus, in the shape of the one in Istio's samples/addons/prometheus.yaml. */
export function defaultScrapeConfig(options: DefaultScrapeConfigOptions = {}): string {
  const { intervalSeconds = 5, tokenFile, caFile } = options;
  const secured =
    tokenFile === undefined || caFile === undefined
      ? ''
      : `
  - job_name: kubernetes-apiservers
    scheme: https
    scrape_interval: 30s
    authorization: { credentials_file: ${JSON.stringify(tokenFile)} }
    tls_config: { ca_file: ${JSON.stringify(caFile)} }
    kubernetes_sd_configs: [{ role: endpointslice }]
    relabel_configs:
      - source_labels: [__meta_kubernetes_namespace, __meta_kubernetes_service_name, __meta_kubernetes_endpointslice_port_name]
        action: keep
        regex: default;kubernetes;https
  - job_name: kubernetes-nodes-resource
    scheme: https
    metrics_path: /metrics/resource
    authorization: { credentials_file: ${JSON.stringify(tokenFile)} }
    tls_config: { ca_file: ${JSON.stringify(caFile)}, insecure_skip_verify: true }
    kubernetes_sd_configs: [{ role: node }]
    relabel_configs:
      - source_labels: [__meta_kubernetes_node_name]
        target_label: node`;
  return `global:
  scrape_interval: ${intervalSeconds}s
  scrape_timeout: ${Math.max(1, Math.min(10, intervalSeconds))}s
  evaluation_interval: ${Math.max(5, intervalSeconds)}s
scrape_configs:
  - job_name: kubernetes-pods
    kubernetes_sd_configs: [{ role: pod }]
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
        action: keep
        regex: "true"
      - source_labels: [__meta_kubernetes_pod_phase]
        action: drop
        regex: Pending|Succeeded|Failed
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scheme]
        action: replace
        regex: (https?)
        target_label: __scheme__
      - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
        action: replace
        regex: (.+)
        target_label: __metrics_path__
      - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
        action: replace
        separator: ":"
        regex: (.+):(\\d+)
        target_label: __address__
      - action: labelmap
        regex: __meta_kubernetes_pod_label_(.+)
      - source_labels: [__meta_kubernetes_namespace]
        target_label: namespace
      - source_labels: [__meta_kubernetes_pod_name]
        target_label: pod
  - job_name: envoy-stats
    metrics_path: /stats/prometheus
    kubernetes_sd_configs: [{ role: pod }]
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_annotationpresent_sidecar_istio_io_status, __meta_kubernetes_pod_label_istio]
        action: keep
        regex: "true;.*|.*;ingressgateway"
      - source_labels: [__meta_kubernetes_pod_phase]
        action: drop
        regex: Pending|Succeeded|Failed
      - source_labels: [__meta_kubernetes_pod_ip]
        target_label: __address__
        replacement: "$1:15090"
      - source_labels: [__meta_kubernetes_namespace]
        target_label: namespace
      - source_labels: [__meta_kubernetes_pod_name]
        target_label: pod
      - source_labels: [__meta_kubernetes_pod_label_app]
        target_label: app${secured}
`;
}

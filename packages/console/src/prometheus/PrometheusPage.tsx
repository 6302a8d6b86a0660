export function PrometheusPage() {
  return null;
}

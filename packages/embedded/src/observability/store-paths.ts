/** Paths that the command line asks of the observability process; apart from their handlers, which bring the stores along. */
export const SQL_PATH = '/kind-e2e/api/sql';
export const IMPORT_METRICS_PATH = '/kind-e2e/api/import/metrics';

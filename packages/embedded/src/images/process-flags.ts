/** Young objects die young in our processes: a small new space costs a little time and saves many megabytes. */
export const PROCESS_FLAGS = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];

/** A burst of ingest makes garbage of requests; see docs/adr/0009-memory-of-the-observability-process.md. */
export const OBSERVABILITY_FLAGS = [...PROCESS_FLAGS, '--heap-growing-percent=60'];

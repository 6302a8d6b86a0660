/** Young objects die young in our processes: a small new space costs a little time and saves many megabytes. */
export const PROCESS_FLAGS = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];

/**
 * A burst of ingest makes garbage of requests; V8 would let the old space grow to four times of what lives before it
 * collects. Twice costs no measurable time (`bench/memory.ts`) and a third of the peak.
 */
export const OBSERVABILITY_FLAGS = [...PROCESS_FLAGS, '--heap-growing-percent=100'];

import type { BuildRecord } from '../build/record.ts';
import type { AgentState } from './agent-pool.ts';

const BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800];

/** Counts of finished builds, and the text of `/metrics` (Prometheus text format 0.0.4). */
export class PipelineMetrics {
  readonly #results = new Map<string, number>();
  readonly #durations = new Map<string, { sum: number; count: number; buckets: number[] }>();
  readonly #last = new Map<string, number>();

  finished(record: BuildRecord): void {
    const key = `job="${escapeLabel(record.job)}",result="${record.result}"`;
    this.#results.set(key, (this.#results.get(key) ?? 0) + 1);
    const seconds = record.durationMs / 1_000;
    const job = `job="${escapeLabel(record.job)}"`;
    const entry = this.#durations.get(job) ?? { sum: 0, count: 0, buckets: BUCKETS.map(() => 0) };
    entry.sum += seconds;
    entry.count++;
    for (const [index, bound] of BUCKETS.entries())
      if (seconds <= bound) entry.buckets[index] = (entry.buckets[index] ?? 0) + 1;
    this.#durations.set(job, entry);
    this.#last.set(job, record.result === 'SUCCESS' ? 1 : 0);
  }

  text(now: { agents: readonly AgentState[]; queued: number; running: number }): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    };
    family('jenkins_builds_total', 'counter', 'Builds that ended.');
    for (const [labels, count] of this.#results) lines.push(`jenkins_builds_total{${labels}} ${count}`);
    family('jenkins_build_duration_seconds', 'histogram', 'How long builds took.');
    for (const [job, { sum, count, buckets }] of this.#durations) {
      for (const [index, bound] of BUCKETS.entries())
        lines.push(`jenkins_build_duration_seconds_bucket{${job},le="${bound}"} ${buckets[index] ?? 0}`);
      lines.push(`jenkins_build_duration_seconds_bucket{${job},le="+Inf"} ${count}`);
      lines.push(
        `jenkins_build_duration_seconds_sum{${job}} ${sum}`,
        `jenkins_build_duration_seconds_count{${job}} ${count}`,
      );
    }
    family('jenkins_last_build_success', 'gauge', 'Whether the last build that ended was a success.');
    for (const [job, value] of this.#last) lines.push(`jenkins_last_build_success{${job}} ${value}`);
    family('jenkins_builds_running', 'gauge', 'Builds that run now.');
    lines.push(`jenkins_builds_running ${now.running}`);
    family('jenkins_queue_size', 'gauge', 'Builds that wait to start.');
    lines.push(`jenkins_queue_size ${now.queued}`);
    family('jenkins_agent_online', 'gauge', 'Whether an agent is connected.');
    for (const agent of now.agents)
      lines.push(`jenkins_agent_online{agent="${escapeLabel(agent.name)}"} ${agent.isOnline ? 1 : 0}`);
    family('jenkins_executors_busy', 'gauge', 'Executors of an agent that run something.');
    for (const agent of now.agents)
      lines.push(`jenkins_executors_busy{agent="${escapeLabel(agent.name)}"} ${agent.busy}`);
    return `${lines.join('\n')}\n`;
  }
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

import type { BuildStore } from '../build/build-store.ts';
import type { BuildRecord } from '../build/record.ts';
import type { Options } from '../jenkinsfile/ast.ts';

const DAY_MS = 86_400_000;

interface Builds {
  readonly store: BuildStore;
  build(job: string, number: number): BuildRecord | undefined;
}

/** Removes builds, or their artifacts, by `buildDiscarder(logRotator(…))`. The last build stays, and those that run. */
export function discardOldBuilds(builds: Builds, job: string, options: Options, nowMs: number): void {
  const { store } = builds;
  const isOld = (record: BuildRecord, days: number | undefined): boolean =>
    days !== undefined && record.startedMs < nowMs - days * DAY_MS;
  const isOver = (index: number, count: number | undefined): boolean => count !== undefined && index >= count;
  for (const [index, number] of store.buildNumbers(job).entries()) {
    const record = builds.build(job, number);
    if (!record || record.building || index === 0) continue;
    if (isOver(index, options.buildsToKeep) || isOld(record, options.daysToKeep)) store.deleteBuild(job, number);
    else if (
      record.artifacts.length > 0 &&
      (isOver(index, options.artifactBuildsToKeep) || isOld(record, options.artifactDaysToKeep))
    )
      store.deleteArtifacts(record);
  }
}

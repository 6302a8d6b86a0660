/** The cells of a pod (`printPod`). */

import { numberAt, recordAt, recordsAt, stringAt } from '../values/access.ts';
import { humanDuration } from '../values/duration.ts';
import type { JsonRecord } from '../values/json.ts';
import { parseRfc3339 } from '../values/time.ts';
import { age } from './age.ts';

function isTrue(conditions: readonly JsonRecord[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}

interface Restarts {
  count: number;
  lastMs: number | undefined;
}

function addRestart(restarts: Restarts, status: JsonRecord): void {
  restarts.count += numberAt(status, 'restartCount') ?? 0;
  const finished = stringAt(recordAt(recordAt(status, 'lastState'), 'terminated'), 'finishedAt');
  const ms = finished === '' ? undefined : parseRfc3339(finished)?.ms;
  if (ms !== undefined && (restarts.lastMs === undefined || ms > restarts.lastMs)) restarts.lastMs = ms;
}

export function podCells(pod: JsonRecord, nowMs: number): unknown[] {
  const spec = recordAt(pod, 'spec') ?? {};
  const status = recordAt(pod, 'status') ?? {};
  const metadata = recordAt(pod, 'metadata') ?? {};
  const conditions = recordsAt(status, 'conditions');
  const initContainers = recordsAt(spec, 'initContainers');
  const sidecars = new Set(
    initContainers.filter((entry) => entry.restartPolicy === 'Always').map((entry) => stringAt(entry, 'name')),
  );
  const total = recordsAt(spec, 'containers').length + sidecars.size;
  let ready = 0;
  let reason = stringAt(status, 'reason') || stringAt(status, 'phase');
  for (const condition of conditions)
    if (condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated') reason = 'SchedulingGated';
  const all: Restarts = { count: 0, lastMs: undefined };
  const ofSidecars: Restarts = { count: 0, lastMs: undefined };
  let restarts = all;
  let initializing = false;
  for (const [index, entry] of recordsAt(status, 'initContainerStatuses').entries()) {
    addRestart(all, entry);
    const isSidecar = sidecars.has(stringAt(entry, 'name'));
    if (isSidecar) addRestart(ofSidecars, entry);
    const state = recordAt(entry, 'state') ?? {};
    const terminated = recordAt(state, 'terminated');
    const waiting = recordAt(state, 'waiting');
    if (terminated !== undefined && (numberAt(terminated, 'exitCode') ?? 0) === 0) continue;
    if (isSidecar && entry.started === true) {
      if (entry.ready === true) ready += 1;
      continue;
    }
    const waitingReason = stringAt(waiting, 'reason');
    if (terminated !== undefined) {
      const why = stringAt(terminated, 'reason');
      if (why !== '') reason = `Init:${why}`;
      else if ((numberAt(terminated, 'signal') ?? 0) !== 0) reason = `Init:Signal:${terminated.signal}`;
      else reason = `Init:ExitCode:${numberAt(terminated, 'exitCode') ?? 0}`;
    } else if (waitingReason !== '' && waitingReason !== 'PodInitializing') reason = `Init:${waitingReason}`;
    else reason = `Init:${index}/${initContainers.length}`;
    initializing = true;
    break;
  }
  if (!initializing || isTrue(conditions, 'Initialized')) {
    restarts = ofSidecars;
    let hasRunning = false;
    for (const entry of recordsAt(status, 'containerStatuses').toReversed()) {
      addRestart(restarts, entry);
      const state = recordAt(entry, 'state') ?? {};
      const waiting = stringAt(recordAt(state, 'waiting'), 'reason');
      const terminated = recordAt(state, 'terminated');
      if (waiting !== '') reason = waiting;
      else if (terminated !== undefined) {
        const why = stringAt(terminated, 'reason');
        if (why !== '') reason = why;
        else if ((numberAt(terminated, 'signal') ?? 0) !== 0) reason = `Signal:${terminated.signal}`;
        else reason = `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}`;
      } else if (entry.ready === true && recordAt(state, 'running') !== undefined) {
        hasRunning = true;
        ready += 1;
      }
    }
    if (reason === 'Completed' && hasRunning) reason = isTrue(conditions, 'Ready') ? 'Running' : 'NotReady';
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') reason = 'Terminating';
  }
  const restartText =
    restarts.count !== 0 && restarts.lastMs !== undefined
      ? `${restarts.count} (${humanDuration(nowMs - restarts.lastMs)} ago)`
      : String(restarts.count);
  const gates = recordsAt(spec, 'readinessGates');
  const passed = gates.filter((gate) => isTrue(conditions, stringAt(gate, 'conditionType'))).length;
  return [
    stringAt(metadata, 'name'),
    `${ready}/${total}`,
    reason,
    restartText,
    age(pod, nowMs),
    stringAt(recordsAt(status, 'podIPs')[0], 'ip') || stringAt(status, 'podIP') || '<none>',
    stringAt(spec, 'nodeName') || '<none>',
    stringAt(status, 'nominatedNodeName') || '<none>',
    gates.length > 0 ? `${passed}/${gates.length}` : '<none>',
  ];
}

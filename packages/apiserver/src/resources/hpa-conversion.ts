import { applyDefaults, isRecord, type KubeObject } from '@kind-e2e/kube-api';
import { sectionOf } from '../operations/object-identity.ts';
import type { VersionConversion } from './served-resource.ts';

const STORED_KIND = { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' };

type Json = Record<string, unknown>;

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const ANNOTATIONS = [METRICS, BEHAVIOR, CONDITIONS, CURRENT_METRICS];

/** autoscaling/v1, which knows CPU only and keeps the rest of v2 in annotations (pkg/apis/autoscaling/v1/conversion.go). */
export const hpaV1Conversion: VersionConversion = {
  toServed(stored) {
    const { metrics, behavior, ...spec } = sectionOf(stored, 'spec');
    const { currentMetrics, conditions, ...status } = sectionOf(stored, 'status');
    const all = Array.isArray(metrics) ? metrics.filter(isRecord) : [];
    const cpu = all.find(isCpuUtilization);
    const others = all.filter((metric) => metric !== cpu);
    const current = Array.isArray(currentMetrics) ? currentMetrics.filter(isRecord) : [];
    const currentCpu = current.find(isCurrentCpu);
    const annotations = {
      ...stored.metadata?.annotations,
      ...(others.length > 0 ? { [METRICS]: JSON.stringify(others) } : {}),
      ...(behavior === undefined ? {} : { [BEHAVIOR]: JSON.stringify(behavior) }),
      ...(Array.isArray(conditions) && conditions.length > 0 ? { [CONDITIONS]: JSON.stringify(conditions) } : {}),
      ...(current.length > (currentCpu ? 1 : 0) ? { [CURRENT_METRICS]: JSON.stringify(current) } : {}),
    };
    const target = cpu ? part(part(cpu, 'resource'), 'target').averageUtilization : undefined;
    const utilization = currentCpu ? part(part(currentCpu, 'resource'), 'current').averageUtilization : undefined;
    return {
      ...stored,
      apiVersion: 'autoscaling/v1',
      metadata: { ...stored.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
      status: {
        currentReplicas: 0,
        desiredReplicas: 0,
        ...status,
        ...(utilization === undefined ? {} : { currentCPUUtilizationPercentage: utilization }),
      },
    } as KubeObject;
  },
  toStored(served) {
    const { targetCPUUtilizationPercentage, ...spec } = sectionOf(served, 'spec');
    const { currentCPUUtilizationPercentage: _cpu, ...status } = sectionOf(served, 'status');
    const annotations = { ...served.metadata?.annotations };
    const from = (name: string): unknown => parsed(annotations[name]);
    const cpu =
      targetCPUUtilizationPercentage === undefined
        ? []
        : [
            {
              type: 'Resource',
              resource: {
                name: 'cpu',
                target: { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage },
              },
            },
          ];
    const others = from(METRICS);
    const metrics = [...cpu, ...(Array.isArray(others) ? others : [])];
    const behavior = from(BEHAVIOR);
    const conditions = from(CONDITIONS);
    const current = from(CURRENT_METRICS);
    for (const name of ANNOTATIONS) delete annotations[name];
    const { annotations: _annotations, ...metadata } = served.metadata ?? {};
    const stored = {
      ...served,
      apiVersion: 'autoscaling/v2',
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(isRecord(behavior) ? { behavior } : {}) },
      status: {
        desiredReplicas: 0,
        ...status,
        currentMetrics: Array.isArray(current) ? current : null,
        ...(Array.isArray(conditions) ? { conditions } : {}),
      },
    } as KubeObject;
    // What is stored is read as v2, with the defaults of v2: CPU at 80 % where nothing is to be measured.
    applyDefaults(STORED_KIND, stored);
    return stored;
  },
};

function part(parent: Json, name: string): Json {
  const value = parent[name];
  return isRecord(value) ? value : {};
}

function isCpuUtilization(metric: Json): boolean {
  const resource = part(metric, 'resource');
  return (
    metric.type === 'Resource' && resource.name === 'cpu' && part(resource, 'target').averageUtilization !== undefined
  );
}

function isCurrentCpu(metric: Json): boolean {
  return metric.type === 'Resource' && part(metric, 'resource').name === 'cpu';
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type { LabProcess } from '@kind-e2e/embedded';
export { attachLab, type CommandResult, Lab, type LabAnswer, type LabOptions, startLab } from './lab.ts';
export type { PodAnswer, PodRequest } from './request-from-pod.ts';
export {
  type LabLogLine,
  type LabSample,
  type MeshEdge,
  Telemetry,
  type WaitFor,
  type WaitForTrace,
} from './telemetry.ts';
export { type LabSpan, LabTrace } from './trace.ts';

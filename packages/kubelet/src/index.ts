export { type Kubelet, startKubelet } from './kubelet.ts';
export { readLowPortLimit } from './node/low-ports.ts';
export type { KubeletOptions, KubeletSharedOptions } from './options.ts';
export { type CpuControl, probeCpuControl, removeCpuGroups } from './runtime/cpu-cgroups.ts';
export { createKubeletShared, type KubeletShared } from './shared.ts';
export { stopAllContainers } from './stop-all.ts';

export { type Kubelet, startKubelet } from './kubelet.ts';
export type { KubeletOptions, KubeletSharedOptions } from './options.ts';
export { createKubeletShared, type KubeletShared } from './shared.ts';
export { stopAllContainers } from './stop-all.ts';

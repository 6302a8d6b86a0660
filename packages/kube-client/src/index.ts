export { statusErrorOf } from './answers.ts';
export { createKubeClient } from './client.ts';
export {
  type Controller,
  type ControllerOptions,
  type ControllerSource,
  createController,
  type ReconcileRequest,
  type ReconcileResult,
  source,
} from './controller.ts';
export {
  createEventRecorder,
  type EventOptions,
  type EventRecorder,
  type EventRecorderOptions,
  type EventTarget,
} from './events.ts';
export { createInformer } from './informer.ts';
export { defaultKubeconfigPath, inClusterConnection, loadKubeconfig } from './kubeconfig.ts';
export { dropManagedFields, keyFor, keyOf, parseKey } from './objects.ts';
export { resourcePath } from './paths.ts';
export { RESOURCES } from './resources.ts';
export { ignoreNotFound, retryOnConflict } from './retry.ts';
export type {
  ApiObject,
  DeleteOptions,
  Informer,
  InformerHandler,
  InformerOptions,
  KubeClient,
  KubeClientOptions,
  KubeConnection,
  ListOptions,
  PatchType,
  ResourceList,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './types.ts';

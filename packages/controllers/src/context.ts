import type { Clock, Logger } from '@kind-e2e/base';
import type { EventRecorder, KubeClient } from '@kind-e2e/kube-client';
import type { SharedInformers } from './informers.ts';

/** What every controller is given. */
export interface ControllerContext {
  readonly client: KubeClient;
  readonly informers: SharedInformers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The recorder of a component (`deployment-controller`), made at its first use. */
  recorder(component: string): EventRecorder;
}

/** Starts one controller; it runs until it is disposed. */
export type StartController = (context: ControllerContext) => AsyncDisposable;

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Logger } from '@kind-e2e/base';
import type { AdmissionChain } from './admission/admission-chain.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { RbacAuthorizer } from './auth/rbac-authorizer.ts';
import type { ServiceAccountTokens } from './auth/service-account-tokens.ts';
import type { RequestCounts } from './discovery/metrics.ts';
import type { FairQueue } from './http/fair-queue.ts';
import type { AcceptedForm } from './http/negotiation.ts';
import type { RequestInfo } from './http/request-info.ts';
import type { KubeletAccess, User } from './options.ts';
import type { ResourceTable } from './resources/resource-table.ts';
import type { ServedResource } from './resources/served-resource.ts';
import type { ServiceAllocator } from './services/service-allocator.ts';
import type { ObjectStore } from './storage/object-store.ts';
import type { IncludeObject } from './views/table.ts';

/** What every handler works with. */
export interface ApiContext {
  readonly store: ObjectStore;
  readonly resources: ResourceTable;
  readonly admission: AdmissionChain;
  readonly services: ServiceAllocator;
  readonly authenticator: Authenticator;
  readonly authorizer: RbacAuthorizer;
  readonly tokens: ServiceAccountTokens;
  readonly kubelets: KubeletAccess;
  readonly queue: FairQueue;
  readonly requests: RequestCounts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A request that was authenticated and has a resource. */
export interface ResourceRequest {
  readonly context: ApiContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: User;
  readonly resource: ServedResource;
  readonly form: AcceptedForm;
  readonly include: IncludeObject;
  /** Texts for `Warning` headers. */
  readonly warnings: string[];
  /** Aborts when the client goes away or the server ends. */
  readonly signal: AbortSignal;
}

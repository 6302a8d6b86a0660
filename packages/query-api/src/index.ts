export { createQueryApi, type QueryApi, type QueryApiOptions } from './create-query-api.ts';
export { ApiError } from './http/api-error.ts';
export type {
  ActiveTarget,
  DroppedTarget,
  RuleAlert,
  RuleGroupState,
  RuleProvider,
  RuleState,
  StatisticsProvider,
  TargetMetadata,
  TargetProvider,
} from './prometheus/providers.ts';
export {
  type ListenAddress,
  listen,
  type RequestHandler,
  type RunningServer,
  type ServerOptions,
  type UpgradeHandler,
} from './server.ts';

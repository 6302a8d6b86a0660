export type {
  AdmissionMutator,
  AdmissionRequest,
  AdmissionReview,
  AdmissionValidator,
  ApiServer,
  ApiServerOptions,
  KubeletAccess,
  TokenUser,
  User,
} from './options.ts';
export { createApiServer } from './server.ts';

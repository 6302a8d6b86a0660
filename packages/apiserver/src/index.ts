export type {
  AdmissionMutator,
  AdmissionRequest,
  ApiServer,
  ApiServerOptions,
  KubeletAccess,
  TokenUser,
  User,
} from './options.ts';
export { createApiServer } from './server.ts';

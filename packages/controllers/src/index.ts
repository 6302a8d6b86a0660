export type { Upstream } from './dns/dns-server.ts';
export { type ControllerName, type Controllers, type ControllersOptions, startControllers } from './start.ts';

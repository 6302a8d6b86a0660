import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';
import type { Tracing } from './tracing.ts';

/** Listens and ends on a signal. Exits with 1 and a clear line when the address cannot be had. */
export function serve(config: Config, tracing: Tracing): void {
  const log = createLog('server', config.serviceName);
  const lifecycle = new Lifecycle();
  const server = createServer(createApp(config, join(import.meta.dirname, '..', 'public'), lifecycle, log));
  server.keepAliveTimeout = 65_000;
  server.on('error', (error) => {
    log.error(`cannot listen on ${config.host}:${config.port}`, error);
    process.exit(1);
  });
  server.listen(config.port, config.host, () => {
    const { address, port } = server.address() as AddressInfo;
    log.info(`${config.serviceName} listens on http://${address}:${port}`);
  });
  lifecycle.endOnSignal(server, () => tracing.shutdown(), log);
}

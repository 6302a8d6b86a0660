/** A server in a process of its own, to be killed: `node server-process.ts DATA_FILE`. */
import { startServer } from './harness.ts';

const server = await startServer({ dataFile: process.argv[2] ?? '' });
process.send?.({ url: server.api.url });

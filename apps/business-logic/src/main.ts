import { readConfig } from './config.ts';
import { startTracing } from './tracing.ts';

const config = readConfig(process.env);
const tracing = startTracing(config, process.env);
// Loaded after tracing has begun, so that the instrumentations see node:http and express being loaded.
import('./server.ts').then(({ serve }) => serve(config, tracing));

import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { readConfig } from './config.ts';
import { startTracing } from './tracing.ts';

const config = readConfig(process.env);
const tracing = startTracing(config, process.env, [new ExpressInstrumentation()]);
// Loaded after tracing has begun, so that the instrumentations see node:http and express being loaded.
import('./server.ts').then(({ serve }) => serve(config, tracing));

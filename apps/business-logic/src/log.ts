import { basename } from 'node:path';
import { getCallSites } from 'node:util';
import { trace } from '@opentelemetry/api';

type Level = 'INFO' | 'WARNING' | 'ERROR';

export interface Log {
  info(message: string): void;
  warning(message: string): void;
  error(message: string, cause?: unknown): void;
}

/**
 * Writes lines of the form
 * `2026-01-12 11:08:57,516 INFO [views] [views.ts:47] [trace_id=… span_id=… resource.service.name=business-logic] - text`
 * (times in UTC), which is what Python's logging instrumentation of OpenTelemetry writes, so that one expression,
 * `(?:trace_id)=(\w+)`, finds the trace. Ids are 0 outside of a span.
 */
export function createLog(logger: string, serviceName: string, write = writeToStdout): Log {
  const log = (level: Level, message: string): void => {
    const site = getCallSites(3, { sourceMap: true })[2];
    const place = site ? `${basename(site.scriptName)}:${site.lineNumber}` : '-';
    const span = trace.getActiveSpan()?.spanContext();
    const ids = `trace_id=${span?.traceId ?? 0} span_id=${span?.spanId ?? 0} resource.service.name=${serviceName}`;
    write(`${timestamp(new Date())} ${level} [${logger}] [${place}] [${ids}] - ${message}\n`);
  };
  return {
    info: (message) => log('INFO', message),
    warning: (message) => log('WARNING', message),
    error: (message, cause) => log('ERROR', cause === undefined ? message : `${message}: ${describe(cause)}`),
  };
}

function timestamp(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('.', ',').replace('Z', '');
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

function writeToStdout(line: string): void {
  process.stdout.write(line);
}

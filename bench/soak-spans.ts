/**
 * Nothing is lost: an unmodified OpenTelemetry SDK over gRPC and over HTTP, and a Zipkin client, each at 20,000 spans a
 * second for a minute, one after the other; then every span of every trace is asked for.
 *
 *     node bench/soak-spans.ts [seconds, default 60] [spans a second, default 20000]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startTelemetryServer, type TelemetryServer } from './support/telemetry-server.ts';

const run = promisify(execFile);
const CLIENT = join(import.meta.dirname, 'support/span-client.ts');

interface Report {
  readonly made: number;
  readonly seconds: number;
  readonly traceIds: readonly string[];
}

/** Distinct spans that the server has of these traces, and how many it gave twice. */
async function found(server: TelemetryServer, traceIds: readonly string[]): Promise<{ spans: number; twice: number }> {
  let spans = 0;
  let twice = 0;
  for (const id of traceIds) {
    const { status, text } = await server.call('GET', `/api/traces/${id}`);
    if (status !== 200) continue;
    const { data } = JSON.parse(text) as { data: { spans: { spanID: string }[] }[] };
    const ids = (data[0]?.spans ?? []).map(({ spanID }) => spanID);
    const distinct = new Set(ids).size;
    spans += distinct;
    twice += ids.length - distinct;
  }
  return { spans, twice };
}

async function main(): Promise<void> {
  const [seconds = '60', rate = '20000'] = process.argv.slice(2);
  const directory = mkdtempSync(join(tmpdir(), 'soak-spans-'));
  const server = await startTelemetryServer(directory);
  let lost = 0;
  try {
    const urls: Readonly<Record<string, string>> = {
      grpc: `http://127.0.0.1:${server.grpcPort}`,
      http: `http://127.0.0.1:${server.port}/v1/traces`,
      zipkin: `http://127.0.0.1:${server.port}/api/v2/spans`,
    };
    for (const [kind, url] of Object.entries(urls)) {
      const { stdout } = await run(process.execPath, [CLIENT, kind, url, rate, seconds], { maxBuffer: 1 << 26 });
      const report = JSON.parse(stdout) as Report;
      const { spans, twice } = await found(server, report.traceIds);
      lost += report.made - spans + twice;
      console.log(
        `${kind}: ${report.made} spans at ${Math.round(report.made / report.seconds)}/s, ${spans} there, ${report.made - spans} lost, ${twice} twice (target 0 lost at ${rate}/s)`,
      );
    }
    console.log(`memory: ${server.memoryMb()} MB PSS at the end`);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  if (lost > 0) process.exitCode = 1;
}

await main();

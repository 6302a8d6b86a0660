import { connect } from 'node:http2';
import { messageOf } from '@kind-e2e/base';
import type { ProbeOutcome } from './http-probe.ts';

const SERVING_STATUS: Readonly<Record<number, string>> = {
  0: 'UNKNOWN',
  1: 'SERVING',
  2: 'NOT_SERVING',
  3: 'SERVICE_UNKNOWN',
};
const UNIMPLEMENTED = '12';
/** Codes as grpc-go writes them (codes/code_string.go). */
const CODES = [
  ...['OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound', 'AlreadyExists'],
  ...['PermissionDenied', 'ResourceExhausted', 'FailedPrecondition', 'Aborted', 'OutOfRange', 'Unimplemented'],
  ...['Internal', 'Unavailable', 'DataLoss', 'Unauthenticated'],
];

/** Asks `grpc.health.v1.Health/Check`; healthy when it answers SERVING (kubernetes pkg/probe/grpc). */
export function probeGrpc(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const session = connect(`http://${host}:${port}`);
    let isDone = false;
    const done = (outcome: ProbeOutcome): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      session.destroy();
      resolve(outcome);
    };
    const late = `timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s: context deadline exceeded`;
    let isConnected = false;
    const timer = setTimeout(() => {
      const message = isConnected ? `timeout: health rpc did not complete within ${timeoutMs / 1000}s` : late;
      done({ ok: false, message });
    }, timeoutMs);
    timer.unref();
    session.once('connect', () => {
      isConnected = true;
    });
    // The real client tries to connect until its time is over, so that a closed port is told as a time-out.
    const fail = (error: unknown): void =>
      done({
        ok: false,
        message: isConnected
          ? `error: health rpc probe failed: rpc error: code = Unavailable desc = ${messageOf(error)}`
          : late,
      });
    session.once('error', fail);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    });
    const chunks: Buffer[] = [];
    let status = '';
    let text = '';
    const readStatus = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
      if (headers['grpc-message'] !== undefined) text = decodeURIComponent(String(headers['grpc-message']));
    };
    stream.on('response', readStatus);
    stream.on('trailers', readStatus);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', fail);
    stream.once('end', () => {
      if (status === UNIMPLEMENTED)
        done({
          ok: false,
          message: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${text}`,
        });
      else if (status !== '0')
        done({
          ok: false,
          message: `error: health rpc probe failed: rpc error: code = ${CODES[Number(status)] ?? `Code(${status})`} desc = ${text}`,
        });
      else {
        const name = SERVING_STATUS[readServingStatus(Buffer.concat(chunks))] ?? 'UNKNOWN';
        const ok = name === 'SERVING';
        done({ ok, message: ok ? '' : `service unhealthy (responded with "${name}")` });
      }
    });
    stream.end(checkRequest(service));
  });
}

/** HealthCheckRequest { string service = 1 } in one gRPC message. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** HealthCheckResponse { ServingStatus status = 1 }. */
function readServingStatus(message: Buffer): number {
  return message.length >= 7 && message[5] === 0x08 ? (message[6] ?? 0) : 0;
}

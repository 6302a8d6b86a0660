import type { Socket } from 'node:net';
import type { Clock } from '@kind-e2e/base';

/** A client that says nothing for so long is taken for one that waits for the server to speak. */
export const SERVER_FIRST_MS = 100;
const MAX_PEEK_BYTES = 17 * 1024;

/**
 * Looks at the first bytes of a connection without taking them. `decide` gives undefined while it needs more. With a
 * time-out, `decide` is asked with what there is when it is over (`final`). The socket is paused afterwards.
 */
export function peek<T>(
  socket: Socket,
  clock: Clock,
  timeoutMs: number | undefined,
  decide: (bytes: Buffer, final: boolean) => T | undefined,
  done: (decision: T) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  let timer: Disposable | undefined;
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    settle(seen.length > MAX_PEEK_BYTES);
  };
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  const stop = (): void => {
    timer?.[Symbol.dispose]();
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', stop);
    socket.off('error', ignore);
  };
  const settle = (final: boolean): void => {
    const decision = decide(seen, final);
    if (decision === undefined) {
      if (final) onEnd();
      return;
    }
    stop();
    socket.pause();
    if (seen.length > 0) socket.unshift(seen);
    done(decision);
  };
  if (timeoutMs !== undefined) timer = clock.after(timeoutMs, () => settle(true));
  socket.on('error', ignore);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', stop);
  socket.resume();
}

function ignore(): void {}

const HTTP2_PREFACE = 'PRI * HTTP/2.0';
const METHOD = /^[A-Z]{3,10} /;
const METHOD_START = /^[A-Z]{1,10}$/;

/** HTTP/1, HTTP/2 with prior knowledge, or something else; undefined: too little to say. */
export function sniffHttp(bytes: Buffer, final: boolean): 'http1' | 'http2' | 'other' | undefined {
  const text = bytes.toString('latin1', 0, HTTP2_PREFACE.length);
  if (text.startsWith(HTTP2_PREFACE)) return 'http2';
  if (!final && text.length < HTTP2_PREFACE.length && HTTP2_PREFACE.startsWith(text)) return undefined;
  if (METHOD.test(text)) return 'http1';
  return !final && (text === '' || METHOD_START.test(text)) ? undefined : 'other';
}

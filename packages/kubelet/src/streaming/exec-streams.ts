import type { Readable, Writable } from 'node:stream';

/** What exec and attach were asked for. */
export interface ExecFlags {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface TerminalSize {
  readonly Width: number;
  readonly Height: number;
}

/** The result of exec or attach, as metav1.Status. */
export interface ExecStatus {
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason: string; readonly message: string }[] };
  readonly code?: number;
}

/** The client's end of exec or attach, whichever protocol carries it. */
export interface ExecStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Sizes of the client's terminal, the latest first when it came before the call. */
  onResize(call: (size: TerminalSize) => void): void;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Sends the result and ends the connection. */
  finish(status: ExecStatus): Promise<void>;
}

export function successStatus(): ExecStatus {
  return { metadata: {}, status: 'Success' };
}

/** kubelet's remotecommand.NonZeroExitCode: the client exits with the code of the cause. */
export function exitStatus(exitCode: number): ExecStatus {
  if (exitCode === 0) return successStatus();
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

export function errorStatus(message: string): ExecStatus {
  return {
    metadata: {},
    status: 'Failure',
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ reason: '', message }] },
    code: 500,
  };
}

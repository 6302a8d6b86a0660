/**
 * What controller and agents say to each other. An agent opens `GET /agent/v1/commands?name=&labels=&root=&executors=`
 * with its bearer token and reads one Command a line until it ends; it answers by `POST /agent/v1/events`, one AgentEvent
 * a line, in order. When the connection ends, the agent ends what it runs.
 */
export type Command =
  | { readonly kind: 'run'; readonly id: number; readonly operation: Operation }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'ping' };

/** Paths are absolute and inside the agent's root. */
export type Operation =
  | {
      readonly kind: 'sh';
      readonly script: string;
      readonly cwd: string;
      readonly env: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'read';
      readonly cwd: string;
      readonly includes: readonly string[];
      readonly excludes: readonly string[];
    }
  | {
      readonly kind: 'put';
      readonly cwd: string;
      readonly files: readonly TransferredFile[];
      readonly isSecret?: boolean;
    }
  | { readonly kind: 'delete'; readonly path: string }
  | {
      readonly kind: 'checkout';
      readonly cwd: string;
      readonly url: string;
      readonly branch: string;
      readonly commit?: string;
    };

export interface TransferredFile {
  readonly path: string;
  readonly base64: string;
  readonly mode: number;
}

export type AgentEvent =
  | { readonly kind: 'output'; readonly id: number; readonly text: string }
  | { readonly kind: 'done'; readonly id: number; readonly result: OperationResult };

export interface OperationResult {
  /** Of `sh`: its exit code; 0 of what went well. */
  readonly code: number;
  readonly error?: string;
  readonly files?: readonly TransferredFile[];
  readonly commit?: string;
}

/** What one transfer may carry; larger ones are refused. */
export const MAX_TRANSFER_BYTES = 64 * 1024 * 1024;

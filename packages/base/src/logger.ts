import { destination, pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Readonly<Record<string, unknown>>;

/** Constant message plus fields; an `error` field may hold anything that was thrown. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds fields to each line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Least level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** Takes one line without its end. Default: standard error. */
  readonly write?: (line: string) => void;
  readonly fields?: LogFields;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const STDERR = 2;

/** Writes one JSON object a line: `level`, `ts` (RFC 3339), the fields, `msg`. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { write, now = Date.now } = options;
  const stream = write
    ? { write: (line: string) => write(line.endsWith('\n') ? line.slice(0, -1) : line) }
    : destination({ fd: STDERR, sync: true });
  const root = pino(
    {
      level: options.level ?? 'info',
      base: { ...options.fields },
      timestamp: () => `,"ts":"${new Date(now()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      serializers: { error: describeThrown },
    },
    stream,
  );
  return wrap(root);
}

type PinoLogger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

/** Our order of arguments, message first; pino's is the other way round. */
function wrap(inner: PinoLogger): Logger {
  return {
    debug: (message, fields) => inner.debug(fields ?? {}, message),
    info: (message, fields) => inner.info(fields ?? {}, message),
    warn: (message, fields) => inner.warn(fields ?? {}, message),
    error: (message, fields) => inner.error(fields ?? {}, message),
    child: (fields) => wrap(inner.child(fields)),
  };
}

/** For components whose caller wants no log. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

function describeThrown(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, stack, cause } = thrown;
  return { name, message, stack, ...(cause === undefined ? {} : { cause: describeThrown(cause) }) };
}

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

const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

export interface LoggerOptions {
  /** Least level that is written. Default `info`. */
  readonly level?: LogLevel;
  /** Takes one line without its end. Default: standard error. */
  readonly write?: (line: string) => void;
  readonly fields?: LogFields;
  readonly now?: () => number;
}

/** Writes one JSON object a line: `ts` (RFC 3339), `level`, `msg`, then the fields. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const least = LEVELS[options.level ?? 'info'];
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const now = options.now ?? Date.now;
  const log = (level: LogLevel, msg: string, fields?: LogFields): void => {
    if (LEVELS[level] < least) return;
    write(
      JSON.stringify({ ts: new Date(now()).toISOString(), level, msg, ...options.fields, ...fields }, replaceErrors),
    );
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    child: (fields) => createLogger({ ...options, fields: { ...options.fields, ...fields } }),
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

function replaceErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return typeof value === 'bigint' ? value.toString() : value;
  return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
}

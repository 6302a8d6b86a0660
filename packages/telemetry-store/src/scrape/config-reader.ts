import { LabError } from '@kind-e2e/base';

/** A mistake in a configuration file, with the path of the field. */
export function configError(path: string, message: string): LabError {
  return new LabError(`${path}: ${message}`, {
    code: 'PROMETHEUS_CONFIG_INVALID',
    side: 'user',
    remedy: 'See "Configuration" on prometheus.io.',
  });
}

/** Reads a mapping of YAML field by field; a field that nobody read is an error, as in Prometheus. */
export class ConfigReader {
  readonly path: string;
  readonly #fields: Map<string, unknown>;
  readonly #error: typeof configError;

  /** `error` makes what a mistake throws; default: one of Prometheus' configuration. */
  constructor(value: unknown, path: string, error: typeof configError = configError) {
    if (value !== null && value !== undefined && (typeof value !== 'object' || Array.isArray(value)))
      throw error(path, 'expected a mapping');
    this.path = path;
    this.#error = error;
    this.#fields = new Map(Object.entries((value ?? {}) as Record<string, unknown>));
  }

  take(name: string): unknown {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value ?? undefined;
  }

  string(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw this.#error(`${this.path}.${name}`, 'expected a string');
  }

  boolean(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#error(`${this.path}.${name}`, 'expected true or false');
  }

  count(name: string): number | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    throw this.#error(`${this.path}.${name}`, 'expected a whole number');
  }

  duration(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const ms = parsePrometheusDuration(text);
    if (ms === undefined)
      throw this.#error(`${this.path}.${name}`, `not a valid duration string: ${JSON.stringify(text)}`);
    return ms;
  }

  /** `10MB`, in powers of 1024 as Prometheus counts them. */
  size(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const match = /^(\d+(?:\.\d+)?)([KMGTP]?)(?:i?B)?$/i.exec(text);
    if (!match) throw this.#error(`${this.path}.${name}`, `not a valid size: ${JSON.stringify(text)}`);
    return Number(match[1]) * 1024 ** ' KMGTP'.indexOf((match[2] || ' ').toUpperCase());
  }

  strings(name: string): string[] {
    const value = this.take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.#error(`${this.path}.${name}`, 'expected a list');
    return value.map(String);
  }

  /** A mapping of strings. */
  labels(name: string): Record<string, string> {
    const value = this.take(name);
    if (value === undefined) return {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw this.#error(`${this.path}.${name}`, 'expected a mapping');
    return Object.fromEntries(Object.entries(value as object).map(([key, text]) => [key, String(text)]));
  }

  one<T>(name: string, read: (reader: ConfigReader) => T): T | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    return finish(new ConfigReader(value, `${this.path}.${name}`, this.#error), read);
  }

  many<T>(name: string, read: (reader: ConfigReader) => T): T[] {
    const value = this.take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.#error(`${this.path}.${name}`, 'expected a list');
    return value.map((item, i) => finish(new ConfigReader(item, `${this.path}.${name}[${i}]`, this.#error), read));
  }

  /** Names of the fields that nobody read yet. */
  get left(): readonly string[] {
    return [...this.#fields.keys()];
  }

  /** Fields that mean nothing here but may stand in a file made for Prometheus. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#fields.delete(name);
  }

  /** Fails where a field is left that nobody read. */
  done(): void {
    const [left] = this.#fields.keys();
    if (left !== undefined) throw this.#error(`${this.path}.${left}`, 'this field is not supported');
  }
}

function finish<T>(reader: ConfigReader, read: (reader: ConfigReader) => T): T {
  const result = read(reader);
  reader.done();
  return result;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** `1h30m` in milliseconds; undefined where it is none (model.ParseDuration). */
export function parsePrometheusDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (!match || text === '') return undefined;
  return ['y', 'w', 'd', 'h', 'm', 's', 'ms'].reduce(
    (sum, unit, i) => sum + Number(match[i + 1] ?? 0) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

/** Operators and conversions (cel-spec `langdef.md`, "List of Standard Definitions"); overflow is an error. */
import { parseGoDuration } from '../values/duration.ts';
import { ipText } from '../values/ip-network.ts';
import { parseRfc3339 } from '../values/time.ts';
import { LIBRARY } from './library.ts';
import { NOT_MINE } from './not-mine.ts';
import { STRING_FUNCTIONS } from './strings.ts';
import { TIME_FUNCTIONS } from './time.ts';
import { durationText, timestampText } from './time-text.ts';
import {
  CelError,
  CelMap,
  celCompare,
  celEquals,
  cidrOf,
  Duration,
  ipOf,
  noSuchOverload,
  Timestamp,
  TypeValue,
  typeName,
  Uint,
  type Value,
} from './values.ts';

export type CelFunction = (args: readonly Value[]) => Value;

const MIN_INT = -(1n << 63n);
const MAX_INT = (1n << 63n) - 1n;
const MAX_UINT = (1n << 64n) - 1n;

function checkedInt(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new CelError('integer overflow');
  return value;
}

function checkedUint(value: bigint): Uint {
  if (value < 0n || value > MAX_UINT) throw new CelError('unsigned integer overflow');
  return new Uint(value);
}

function arithmetic(
  whole: (left: bigint, right: bigint) => bigint,
  broken: ((left: number, right: number) => number) | undefined,
): CelFunction {
  return ([left, right]) => {
    if (typeof left === 'bigint' && typeof right === 'bigint') return checkedInt(whole(left, right));
    if (left instanceof Uint && right instanceof Uint) return checkedUint(whole(left.value, right.value));
    if (broken && typeof left === 'number' && typeof right === 'number') return broken(left, right);
    throw noSuchOverload();
  };
}

const plus = arithmetic(
  (left, right) => left + right,
  (left, right) => left + right,
);
const minus = arithmetic(
  (left, right) => left - right,
  (left, right) => left - right,
);

function add(args: readonly Value[]): Value {
  const [left, right] = args;
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Uint8Array.from([...left, ...right]);
  if (left instanceof Timestamp && right instanceof Duration) return new Timestamp(left.nanos + right.nanos);
  if (left instanceof Duration && right instanceof Timestamp) return new Timestamp(left.nanos + right.nanos);
  if (left instanceof Duration && right instanceof Duration) return new Duration(checkedInt(left.nanos + right.nanos));
  return plus(args);
}

function subtract(args: readonly Value[]): Value {
  const [left, right] = args;
  if (left instanceof Timestamp && right instanceof Timestamp)
    return new Duration(checkedInt(left.nanos - right.nanos));
  if (left instanceof Timestamp && right instanceof Duration) return new Timestamp(left.nanos - right.nanos);
  if (left instanceof Duration && right instanceof Duration) return new Duration(checkedInt(left.nanos - right.nanos));
  return minus(args);
}

function compared(accept: (order: number) => boolean): CelFunction {
  return ([left, right]) => {
    if (left === undefined || right === undefined) throw noSuchOverload();
    return accept(celCompare(left, right));
  };
}

function contains([value, container]: readonly Value[]): Value {
  if (value === undefined) throw noSuchOverload();
  if (Array.isArray(container)) return container.some((entry: Value) => celEquals(entry, value));
  if (container instanceof CelMap) return container.has(value);
  throw noSuchOverload();
}

function size([value]: readonly Value[]): Value {
  if (typeof value === 'string') return BigInt([...value].length);
  if (value instanceof Uint8Array || Array.isArray(value)) return BigInt(value.length);
  if (value instanceof CelMap) return BigInt(value.entries.size);
  throw noSuchOverload();
}

function toInt([value]: readonly Value[]): Value {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return checkedInt(value.value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new CelError('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (typeof value === 'string') {
    if (!/^[-+]?\d+$/.test(value))
      throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    return checkedInt(BigInt(value));
  }
  if (value instanceof Timestamp) return value.nanos / 1_000_000_000n;
  if (value instanceof Duration) return value.nanos;
  throw noSuchOverload();
}

function toUint([value]: readonly Value[]): Value {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return checkedUint(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) throw new CelError('unsigned integer overflow');
    return new Uint(BigInt(Math.trunc(value)));
  }
  if (typeof value === 'string') {
    if (!/^\+?\d+$/.test(value))
      throw new CelError(`strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`);
    return checkedUint(BigInt(value));
  }
  throw noSuchOverload();
}

function toDouble([value]: readonly Value[]): Value {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value === 'string') {
    if (!/^[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|Inf(?:inity)?|NaN)$/i.test(value))
      throw new CelError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
    const number = Number(value);
    return Number.isNaN(number) && /inf/i.test(value) ? (value.startsWith('-') ? -Infinity : Infinity) : number;
  }
  throw noSuchOverload();
}

function toText([value]: readonly Value[]): Value {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
    case 'number':
      return String(value);
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Timestamp) return timestampText(value.nanos);
  if (value instanceof Duration) return durationText(value.nanos);
  if (value !== undefined) {
    const ip = ipOf(value);
    if (ip) return ipText(ip);
    const cidr = cidrOf(value);
    if (cidr) return `${ipText(cidr.address)}/${cidr.prefix}`;
  }
  throw noSuchOverload();
}

function toBool([value]: readonly Value[]): Value {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') throw noSuchOverload();
  if (['1', 't', 'true', 'TRUE', 'True', 'T'].includes(value)) return true;
  if (['0', 'f', 'false', 'FALSE', 'False', 'F'].includes(value)) return false;
  throw new CelError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function toTimestamp([value]: readonly Value[]): Value {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'bigint') return new Timestamp(value * 1_000_000_000n);
  if (typeof value !== 'string') throw noSuchOverload();
  const parsed = parseRfc3339(value);
  if (parsed === undefined)
    throw new CelError(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
    );
  return new Timestamp(BigInt(Math.floor(parsed.ms / 1000)) * 1_000_000_000n + BigInt(parsed.nanos));
}

function toDuration([value]: readonly Value[]): Value {
  if (value instanceof Duration) return value;
  if (typeof value === 'bigint') return new Duration(checkedInt(value * 1_000_000_000n));
  if (typeof value !== 'string') throw noSuchOverload();
  const ms = parseGoDuration(value);
  if (ms === undefined) throw new CelError(`time: invalid duration ${JSON.stringify(value)}`);
  return new Duration(BigInt(Math.round(ms * 1e6)));
}

const STANDARD: Readonly<Record<string, CelFunction>> = {
  '_==_': ([left, right]) => celEquals(left as Value, right as Value),
  '_!=_': ([left, right]) => !celEquals(left as Value, right as Value),
  '_<_': compared((order) => order < 0),
  '_<=_': compared((order) => order <= 0),
  '_>_': compared((order) => order > 0),
  '_>=_': compared((order) => order >= 0),
  '!_': ([value]) => {
    if (typeof value !== 'boolean') throw noSuchOverload();
    return !value;
  },
  '-_': ([value]) => {
    if (typeof value === 'bigint') return checkedInt(-value);
    if (typeof value === 'number') return -value;
    throw noSuchOverload();
  },
  '_+_': add,
  '_-_': subtract,
  '_*_': arithmetic(
    (left, right) => left * right,
    (left, right) => left * right,
  ),
  '_/_': arithmetic(
    (left, right) => {
      if (right === 0n) throw new CelError('division by zero');
      return left / right;
    },
    (left, right) => left / right,
  ),
  '_%_': arithmetic((left, right) => {
    if (right === 0n) throw new CelError('modulus by zero');
    return left % right;
  }, undefined),
  '@in': contains,
  size,
  type: ([value]) => new TypeValue(typeName(value as Value)),
  dyn: ([value]) => value as Value,
  bool: toBool,
  bytes: ([value]) => {
    if (value instanceof Uint8Array) return value;
    if (typeof value !== 'string') throw noSuchOverload();
    return new TextEncoder().encode(value);
  },
  int: toInt,
  uint: toUint,
  double: toDouble,
  string: toText,
  timestamp: toTimestamp,
  duration: toDuration,
};

/** Calls a function; the receiver of a member is the first argument. Throws `CelError`. */
export function callFunction(name: string, args: readonly Value[]): Value {
  for (const functions of [STANDARD, STRING_FUNCTIONS, TIME_FUNCTIONS, LIBRARY]) {
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (found === undefined) continue;
    const result = found(args);
    // One name of two libraries: lists and strings share `indexOf`.
    if (result !== NOT_MINE) return result;
  }
  throw noSuchOverload();
}

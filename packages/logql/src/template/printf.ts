import { quote } from '@kind-e2e/telemetry';
import { formatGoFloat } from '../syntax/go-float.ts';
import { printValue, type TemplateValue, typeName } from './values.ts';

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%]|$)/g;

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

/** Go's fmt.Sprintf, for the verbs that templates use. */
export function sprintf(format: string, args: readonly TemplateValue[]): string {
  let next = 0;
  let out = format.replace(
    VERB,
    (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '') return '%!(NOVERB)';
      if (verb === '%') return '%';
      const star = (): number => Number(args[next++] ?? 0);
      const wide = width === '*' ? star() : Number(width ?? 0);
      const digits =
        precision === '*'
          ? star()
          : precision === undefined
            ? whole.includes('.')
              ? 0
              : undefined
            : Number(precision);
      const arg = args[next++];
      if (arg === undefined) return `%!${verb}(MISSING)`;
      const spec = {
        flags: wide < 0 ? `${flags}-` : flags,
        width: Math.min(Math.abs(wide), MAX_WIDTH),
        precision: digits === undefined ? undefined : Math.min(digits, MAX_WIDTH),
      };
      return formatVerb(verb, spec, arg) ?? bad(verb, spec, arg);
    },
  );
  if (next < args.length) {
    const extra = args.slice(next).map((arg) => (arg === null ? '<nil>' : `${typeName(arg)}=${printValue(arg)}`));
    out += `%!(EXTRA ${extra.join(', ')})`;
  }
  return out;
}

const MAX_WIDTH = 10_000;

/** A value that is not of the verb's kind prints with its type, by the same flags. */
function bad(verb: string, spec: Spec, arg: TemplateValue): string {
  return arg === null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(arg)}=${formatVerb('v', spec, arg) ?? ''})`;
}

function padText(text: string, { flags, width }: Spec): string {
  const blanks = ' '.repeat(Math.max(0, width - [...text].length));
  return flags.includes('-') ? text + blanks : blanks + text;
}

/** A number with its sign; zeros go between the two. */
function padNumber(text: string, { flags, width }: Spec): string {
  const isNegative = text.startsWith('-');
  const sign = isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const digits = isNegative ? text.slice(1) : text.replace(/^\+/, '');
  const missing = width - sign.length - digits.length;
  if (missing <= 0) return sign + digits;
  if (flags.includes('-')) return sign + digits + ' '.repeat(missing);
  return flags.includes('0') && /^\d/.test(digits)
    ? sign + '0'.repeat(missing) + digits
    : ' '.repeat(missing) + sign + digits;
}

function formatInteger(value: bigint, base: number, spec: Spec): string {
  const digits = (value < 0n ? -value : value).toString(base).padStart(spec.precision ?? 0, '0');
  const text = (value < 0n ? '-' : '') + (base === 16 && spec.flags.includes('#') ? '0x' : '') + digits;
  return padNumber(text, spec.precision === undefined ? spec : { ...spec, flags: spec.flags.replaceAll('0', '') });
}

/** Halves go to the even neighbour, as strconv rounds, where toFixed takes the larger one. */
function fixed(value: number, precision: number): string {
  const digits = Math.min(precision, 40);
  const rounded = value.toFixed(digits);
  const exact = value.toFixed(100);
  const point = exact.indexOf('.');
  if (digits >= 40 || exact.includes('e') || !/^50*$/.test(exact.slice(point + 1 + digits))) return rounded;
  const down = exact.slice(0, point + (digits === 0 ? 0 : 1 + digits));
  return Number(down.at(-1)) % 2 === 0 ? down : rounded;
}

function exponential(value: number, precision: number): string {
  return value.toExponential(Math.min(precision, 100)).replace(/e([-+])(\d)$/, 'e$10$2');
}

/** %g: without exponent where there are not more digits before the point than the precision. */
function general(value: number, precision: number | undefined): string {
  if (precision === undefined || !Number.isFinite(value)) return formatGoFloat(value);
  const digits = Math.min(Math.max(1, precision), 100);
  const exponent = Number(value.toExponential(digits - 1).split('e')[1]);
  if (value === 0) return '0';
  const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text);
  if (exponent < -4 || exponent >= digits) return trim(exponential(value, digits - 1));
  return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

function formatFloat(verb: string, spec: Spec, value: number): string {
  const { precision } = spec;
  const text = !Number.isFinite(value)
    ? formatGoFloat(value)
    : verb === 'f' || verb === 'F'
      ? fixed(value, precision ?? 6)
      : verb === 'e' || verb === 'E'
        ? exponential(value, precision ?? 6)
        : general(value, precision);
  return padNumber(verb === 'E' || verb === 'G' ? text.toUpperCase() : text, spec);
}

function formatText(text: string, spec: Spec): string {
  const { precision } = spec;
  return padText(precision === undefined ? text : [...text].slice(0, precision).join(''), spec);
}

/** Undefined where the verb is not for such a value. */
function formatVerb(verb: string, spec: Spec, arg: TemplateValue): string | undefined {
  if (verb === 'T') return padText(arg === null ? '<nil>' : typeName(arg), spec);
  if (verb === 'v') {
    if (arg === null) return padText('<nil>', spec);
    if (typeof arg === 'bigint') return formatInteger(arg, 10, spec);
    if (typeof arg === 'number') return formatFloat('g', spec, arg);
    if (typeof arg === 'string') return spec.flags.includes('#') ? padText(quote(arg), spec) : formatText(arg, spec);
    return padText(printValue(arg), spec);
  }
  if (arg === null) return undefined;
  if (typeof arg === 'bigint') {
    switch (verb) {
      case 'd':
        return formatInteger(arg, 10, spec);
      case 'b':
        return formatInteger(arg, 2, spec);
      case 'o':
        return formatInteger(arg, 8, spec);
      case 'x':
        return formatInteger(arg, 16, spec);
      case 'X':
        return formatInteger(arg, 16, spec).toUpperCase();
      case 'c':
      case 'q': {
        const char = arg >= 0n && arg <= 0x10ffffn ? String.fromCodePoint(Number(arg)) : '\ufffd';
        return padText(
          verb === 'c' ? char : `'${char === "'" ? "\\'" : quote(char).slice(1, -1).replace('\\"', '"')}'`,
          spec,
        );
      }
      case 'U':
        return padText(`U+${arg.toString(16).toUpperCase().padStart(4, '0')}`, spec);
      default:
        return undefined;
    }
  }
  if (typeof arg === 'number') return 'feEgGF'.includes(verb) ? formatFloat(verb, spec, arg) : undefined;
  if (typeof arg === 'boolean') return verb === 't' ? padText(String(arg), spec) : undefined;
  const text = printValue(arg);
  if (verb === 's') return formatText(text, spec);
  if (verb === 'q') return padText(quote(text), spec);
  if (verb !== 'x' && verb !== 'X') return undefined;
  const hex = Buffer.from(text).subarray(0, spec.precision).toString('hex');
  return padText(verb === 'X' ? hex.toUpperCase() : hex, spec);
}

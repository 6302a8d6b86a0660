import { quote } from '@kind-e2e/telemetry';
import { formatFloat, printValue, type TemplateValue, typeName } from './values.ts';

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])/g;

/** Go's fmt.Sprintf, for the verbs that templates use. */
export function sprintf(format: string, args: readonly TemplateValue[]): string {
  let next = 0;
  let out = format.replace(
    VERB,
    (spec, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      const star = (): number => Number(args[next++] ?? 0);
      const wide = width === '*' ? star() : Number(width ?? 0);
      const digits =
        precision === '*' ? star() : precision === undefined ? (spec.includes('.') ? 0 : undefined) : Number(precision);
      const arg = args[next++];
      if (arg === undefined) return `%!${verb}(MISSING)`;
      const text = formatVerb(verb, flags, digits, arg);
      if (text.length >= Math.abs(wide)) return text;
      if (flags.includes('-') || wide < 0) return text.padEnd(Math.abs(wide));
      if (!flags.includes('0') || verb === 's') return text.padStart(wide);
      const sign = /^[-+]/.exec(text)?.[0] ?? '';
      return sign + text.slice(sign.length).padStart(wide - sign.length, '0');
    },
  );
  if (next < args.length) {
    const extra = args.slice(next).map((arg) => `${typeName(arg)}=${printValue(arg)}`);
    out += `%!(EXTRA ${extra.join(', ')})`;
  }
  return out;
}

function bad(verb: string, arg: TemplateValue): string {
  return arg === null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(arg)}=${printValue(arg)})`;
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-')) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function formatVerb(verb: string, flags: string, precision: number | undefined, arg: TemplateValue): string {
  switch (verb) {
    case 'v':
      return arg === null ? '<nil>' : flags.includes('#') && typeof arg === 'string' ? quote(arg) : printValue(arg);
    case 's':
      if (typeof arg === 'number' || typeof arg === 'bigint' || typeof arg === 'boolean' || arg === null)
        return bad(verb, arg);
      return precision === undefined ? printValue(arg) : [...printValue(arg)].slice(0, precision).join('');
    case 'q':
      return typeof arg === 'string' ? quote(arg) : bad(verb, arg);
    case 't':
      return typeof arg === 'boolean' ? String(arg) : bad(verb, arg);
    case 'T':
      return typeName(arg);
    case 'd':
      return typeof arg === 'bigint' ? signed(String(arg), flags) : bad(verb, arg);
    case 'b':
    case 'o':
      return typeof arg === 'bigint' ? arg.toString(verb === 'b' ? 2 : 8) : bad(verb, arg);
    case 'c':
      return typeof arg === 'bigint' ? String.fromCodePoint(Number(arg)) : bad(verb, arg);
    case 'x':
    case 'X': {
      let text: string;
      if (typeof arg === 'bigint') text = (flags.includes('#') ? '0x' : '') + arg.toString(16);
      else if (typeof arg === 'string') text = Buffer.from(arg).toString('hex');
      else return bad(verb, arg);
      return verb === 'X' ? text.toUpperCase() : text;
    }
    case 'f':
    case 'F':
      return typeof arg === 'number'
        ? signed(Number.isFinite(arg) ? arg.toFixed(precision ?? 6) : formatFloat(arg), flags)
        : bad(verb, arg);
    case 'e':
    case 'E': {
      if (typeof arg !== 'number') return bad(verb, arg);
      const text = arg.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, 'e$10$2');
      return signed(verb === 'E' ? text.toUpperCase() : text, flags);
    }
    case 'g':
    case 'G':
      if (typeof arg !== 'number') return bad(verb, arg);
      return signed(
        precision === undefined ? formatFloat(arg) : String(Number(arg.toPrecision(Math.max(1, precision)))),
        flags,
      );
    default:
      return bad(verb, arg);
  }
}

/** metav1.Time and MicroTime: RFC 3339 in UTC, whole seconds or microseconds. */
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch and the rest in nanoseconds; `undefined` for text that is no RFC 3339 time. */
export function parseRfc3339(text: string): { readonly ms: number; readonly nanos: number } | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  if (Number(month) < 1 || Number(month) > 12 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return undefined;
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(day) < 1 || Number(day) > daysInMonth) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), 0);
  let offset = 0;
  if (zone !== 'Z' && zone !== 'z')
    offset = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000 * (zone.startsWith('-') ? -1 : 1);
  return { ms: date.getTime() - offset, nanos: Number(fraction.padEnd(9, '0').slice(0, 9)) };
}

/** `2026-01-02T03:04:05Z` (metav1.Time). */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-02T03:04:05.000006Z` (metav1.MicroTime). */
export function formatMicroTime(ms: number, micros = 0): string {
  const whole = new Date(ms);
  const part = Math.floor((((ms % 1000) + 1000) % 1000) * 1000) + micros;
  return `${whole.toISOString().slice(0, 19)}.${String(part % 1_000_000).padStart(6, '0')}Z`;
}

import { clock } from '../time/clock.ts';
import { formatAge } from '../units/format.ts';

const dateTime: Intl.DateTimeFormatOptions = {
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
};
const timeOnly: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };

export function formatLocal(ms: number, options: { withMs?: boolean; withDate?: boolean } = {}): string {
  const date = new Date(ms);
  const text = date.toLocaleString('en-GB', options.withDate === false ? timeOnly : dateTime);
  return options.withMs ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** A time in the local zone; UTC on hover. */
export function Time({ ms, withMs = false, withDate = true }: { ms: number; withMs?: boolean; withDate?: boolean }) {
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso} title={`${iso} (UTC)`} className="nowrap">
      {formatLocal(ms, { withMs, withDate })}
    </time>
  );
}

/** How long ago, as kubectl writes it; the instant on hover. */
export function Age({ since }: { since: string | null | undefined }) {
  if (!since) return <span className="dim">–</span>;
  const at = Date.parse(since);
  return (
    <time dateTime={since} title={`${formatLocal(at)} · ${since} (UTC)`} className="nowrap">
      {formatAge(clock.now() - at)}
    </time>
  );
}

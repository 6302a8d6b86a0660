/** Whether the IANA database has the name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** RFC 3339 with the offset that the zone has then, `2026-07-01T09:00:00+02:00`; default UTC, `…Z`. */
export function formatTimeIn(at: number, timeZone = 'UTC'): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(at);
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value.slice('GMT'.length) ?? '';
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)/.exec(offset) ?? [];
  const minutesEast = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  const wall = new Date(at + minutesEast * 60_000).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  return minutesEast === 0 ? `${wall}Z` : `${wall}${offset}`;
}

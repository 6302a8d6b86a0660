import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { useSearch } from 'wouter';
import { clock } from '../time/clock.ts';
import {
  DEFAULT_RANGE,
  isRelative,
  parseDuration,
  type RawRange,
  resolveRange,
  type TimeRange,
} from '../time/range.ts';
import type { Milliseconds } from '../units/brands.ts';
import { updateQuery } from './url-state.ts';

export const DEFAULT_REFRESH = '10s';
/** How long a refresh waits for the answers of the one before. */
const MAX_WAIT_MS = 30_000;
export const REFRESH_CHOICES = ['off', '2s', '5s', '10s', '30s', '1m', '5m'] as const;

export interface TimeState {
  raw: RawRange;
  range: TimeRange;
  /** The instant of the last refresh, which relative ranges are counted from. */
  now: Milliseconds;
  refresh: string;
  setRaw(raw: RawRange): void;
  setRefresh(text: string): void;
  refreshNow(): void;
}

const TimeContext = createContext<TimeState | undefined>(undefined);

/** The one time range of all pages: in the address, moved on by the refresh interval while the page is visible. */
export function TimeProvider({ children }: { children: ReactNode }) {
  const search = new URLSearchParams(useSearch());
  const from = search.get('from') ?? DEFAULT_RANGE.from;
  const to = search.get('to') ?? DEFAULT_RANGE.to;
  const refresh = search.get('refresh') ?? DEFAULT_REFRESH;
  const [now, setNow] = useState(clock.now);
  const queries = useQueryClient();

  const refreshNow = useCallback(() => setNow(clock.now()), []);
  const setRaw = useCallback((raw: RawRange) => {
    setNow(clock.now());
    const isDefault = raw.from === DEFAULT_RANGE.from && raw.to === DEFAULT_RANGE.to;
    updateQuery({ from: isDefault ? undefined : raw.from, to: isDefault ? undefined : raw.to });
  }, []);
  const setRefresh = useCallback(
    (text: string) => updateQuery({ refresh: text === DEFAULT_REFRESH ? undefined : text }, { replace: true }),
    [],
  );

  useEffect(() => {
    const every = parseDuration(refresh);
    if (every === undefined || every < 1000) return undefined;
    let last = clock.now();
    return clock.every(every, () => {
      // A refresh takes back what is still asked for: where answers take longer than the interval, none would ever come.
      const isWaiting = queries.isFetching() > 0 && clock.now() - last < MAX_WAIT_MS;
      if (document.hidden || isWaiting) return;
      last = clock.now();
      setNow(last);
    });
  }, [refresh, queries]);

  const state = useMemo<TimeState>(() => {
    const raw = { from, to };
    return { raw, range: resolveRange(raw, now), now, refresh, setRaw, setRefresh, refreshNow };
  }, [from, to, now, refresh, setRaw, setRefresh, refreshNow]);
  return <TimeContext.Provider value={state}>{children}</TimeContext.Provider>;
}

export function useTime(): TimeState {
  const state = useContext(TimeContext);
  if (state === undefined) throw new Error('useTime needs a TimeProvider above it.');
  return state;
}

/** What goes into a query's key: the raw range, and the instant of the refresh when the range moves with it. */
export function useTimeKey(): readonly (string | number)[] {
  const { raw, now } = useTime();
  return [raw.from, raw.to, isRelative(raw) ? now : 0];
}

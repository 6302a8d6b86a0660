import { useCallback } from 'react';
import { useSearch } from 'wouter';
import { navigate } from 'wouter/use-browser-location';

/** Parameters that travel from page to page: the time range, how often it is refreshed. */
export const TRAVELLING = ['from', 'to', 'refresh'] as const;

/** Changes parameters of the address; undefined or '' takes one away. `replace` leaves no entry in the history. */
export function updateQuery(
  patch: Readonly<Record<string, string | undefined>>,
  options: { replace?: boolean } = {},
): void {
  const search = new URLSearchParams(window.location.search);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || value === '') search.delete(key);
    else search.set(key, value);
  }
  const text = search.toString();
  const next = `${window.location.pathname}${text === '' ? '' : `?${text}`}`;
  if (next !== `${window.location.pathname}${window.location.search}`)
    navigate(next, { replace: options.replace ?? false });
}

/** One parameter of the address as state. */
export function useQueryState(
  key: string,
  fallback = '',
): [string, (value: string | undefined, options?: { replace?: boolean }) => void] {
  const value = new URLSearchParams(useSearch()).get(key) ?? fallback;
  const set = useCallback(
    (next: string | undefined, options?: { replace?: boolean }) =>
      updateQuery({ [key]: next === fallback ? undefined : next }, options),
    [key, fallback],
  );
  return [value, set];
}

/** An address of the console with the travelling parameters of the present one; `params` come on top. */
export function hrefTo(
  path: string,
  params: Readonly<Record<string, string | undefined>> = {},
  search: string = typeof window === 'undefined' ? '' : window.location.search,
): string {
  const current = new URLSearchParams(search);
  const next = new URLSearchParams();
  for (const key of TRAVELLING) {
    const value = current.get(key);
    if (value !== null) next.set(key, value);
  }
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined || value === '') next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString();
  return text === '' ? path : `${path}?${text}`;
}

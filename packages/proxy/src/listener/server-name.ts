/** True when a TLS server name matches a host that may begin with `*.` or be `*`. Case does not matter. */
export function matchesName(pattern: string, name: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = name.toLowerCase();
  if (wanted === '*' || wanted === given) return true;
  return wanted.startsWith('*.') && given.endsWith(wanted.slice(1)) && given.length > wanted.length - 1;
}

/** The most precise of several entries for a name: exact, then the longest wildcard. */
export function bestByName<T>(
  entries: readonly T[],
  hostsOf: (entry: T) => readonly string[],
  name: string,
): T | undefined {
  let best: T | undefined;
  let bestLength = -1;
  for (const entry of entries)
    for (const host of hostsOf(entry)) {
      if (!matchesName(host, name)) continue;
      const length = host.startsWith('*') ? host.length - 1 : host.length + 1000;
      if (length > bestLength) {
        best = entry;
        bestLength = length;
      }
    }
  return best;
}

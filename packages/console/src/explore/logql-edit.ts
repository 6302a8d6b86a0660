const quote = (text: string): string => JSON.stringify(text);

/** The query with one more matcher in its first selector; one for the same label with `=` is replaced. */
export function addMatcher(query: string, label: string, value: string): string {
  const match = /\{([^}]*)\}/.exec(query);
  if (match === null) return `{${label}=${quote(value)}}`;
  const kept = [...(match[1] ?? '').matchAll(/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g)]
    .filter((item) => item[1] !== label)
    .map((item) => `${item[1]}${item[2]}${item[3]}`);
  const selector = `{${[...kept, `${label}=${quote(value)}`].join(', ')}}`;
  return query.slice(0, match.index) + selector + query.slice(match.index + match[0].length);
}

/** The selector of exactly one stream. */
export function exactSelector(labels: Readonly<Record<string, string>>): string {
  const own = Object.entries(labels).filter(([label]) => !label.startsWith('__') && label !== 'detected_level');
  return `{${own.map(([label, value]) => `${label}=${quote(value)}`).join(', ')}}`;
}

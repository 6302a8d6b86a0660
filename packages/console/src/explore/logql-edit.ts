const quote = (text: string): string => JSON.stringify(text);

/**
 * The query with one more matcher in its first selector. With `=` it replaces those of the same label, with `!=` the one
 * that wants just this value; a selector of exclusions alone gets the matcher that Loki asks for beside them.
 */
export function addMatcher(query: string, label: string, value: string, operator: '=' | '!=' = '='): string {
  const match = /\{([^}]*)\}/.exec(query);
  if (match === null) return `{${label}${operator}${quote(value)}}`;
  const kept = [...(match[1] ?? '').matchAll(/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g)]
    .filter((item) => item[1] !== label || (operator === '!=' && item[3] !== quote(value)))
    .map((item) => `${item[1]}${item[2]}${item[3]}`);
  const isOpen = operator === '!=' && !kept.some((item) => /^\w+=/.test(item));
  const own = isOpen ? [`${label === 'namespace' ? 'app' : 'namespace'}=~".+"`] : [];
  const selector = `{${[...kept, ...own, `${label}${operator}${quote(value)}`].join(', ')}}`;
  return query.slice(0, match.index) + selector + query.slice(match.index + match[0].length);
}

/** The selector of exactly one stream. */
export function exactSelector(labels: Readonly<Record<string, string>>): string {
  const own = Object.entries(labels).filter(([label]) => !label.startsWith('__') && label !== 'detected_level');
  return `{${own.map(([label, value]) => `${label}=${quote(value)}`).join(', ')}}`;
}

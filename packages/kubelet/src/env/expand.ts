/**
 * Replaces `$(NAME)` by what `lookup` gives; a name without value stays as it is, `$$` is a dollar sign
 * (kubernetes third_party/forked/golang/expansion).
 */
export function expandVariables(text: string, lookup: (name: string) => string | undefined): string {
  let expanded = '';
  let rest = 0;
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', rest)) {
    expanded += text.slice(rest, at);
    const next = text[at + 1];
    if (next === '$') {
      expanded += '$';
      rest = at + 2;
    } else if (next === '(') {
      const end = text.indexOf(')', at);
      if (end < 0) {
        expanded += '$(';
        rest = at + 2;
      } else {
        const name = text.slice(at + 2, end);
        expanded += lookup(name) ?? `$(${name})`;
        rest = end + 1;
      }
    } else {
      expanded += '$';
      rest = at + 1;
    }
  }
  return expanded + text.slice(rest);
}

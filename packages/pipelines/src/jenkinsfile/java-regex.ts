/**
 * Java's regular expressions are those of JavaScript for what pipelines write, but for flags at their beginning:
 * `(?i)release-.*`. The whole text must match (java.util.regex.Matcher#matches).
 */
export function javaRegex(pattern: string, flags = ''): RegExp {
  const [, inline = '', body = pattern] = /^\(\?([ims]+)\)([\s\S]*)$/.exec(pattern) ?? [];
  return new RegExp(`^(?:${body})$`, [...new Set(flags + inline)].join(''));
}

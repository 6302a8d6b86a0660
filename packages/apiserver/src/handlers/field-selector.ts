import { badRequest } from '@kind-e2e/kube-api';

export interface FieldRequirement {
  readonly path: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** `a=b,c!=d`, with backslashes before `\`, `,` and `=` in values (apimachinery `fields.ParseSelector`). */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = [];
  for (const term of text.split(/(?<=(?<!\\)(?:\\\\)*),/).map((part) => part.replace(/,$/, ''))) {
    if (term === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, path = '', operator, raw = ''] = match;
    requirements.push({ path, value: unescaped(raw), isEqual: operator !== '!=' });
  }
  return requirements;
}

function unescaped(value: string): string {
  let out = '';
  for (let i = 0; i < value.length; i++) {
    const char = value[i] ?? '';
    if (char !== '\\') {
      if (char === ',' || char === '=')
        throw badRequest(`invalid field selector: unescaped character in value: ${value}`);
      out += char;
      continue;
    }
    const next = value[++i];
    if (next !== '\\' && next !== ',' && next !== '=')
      throw badRequest(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
    out += next;
  }
  return out;
}

/**
 * Members that a JSON text names twice, which `JSON.parse` hides: `duplicate field "spec.replicas"`, each path once, as
 * sigs.k8s.io/json reports them. The text must be good JSON (`goJsonProblem`).
 */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>();
  const stack: Frame[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  let key: string | undefined;
  for (const match of text.matchAll(token)) {
    const part = match[0];
    const top = stack.at(-1);
    switch (part) {
      case '{':
      case '[':
        stack.push({
          path: pathOf(top, key),
          keys: part === '{' ? new Set() : undefined,
          index: 0,
          expectsKey: part === '{',
        });
        key = undefined;
        continue;
      case '}':
      case ']':
        stack.pop();
        continue;
      case ',':
        if (top === undefined) continue;
        top.index += 1;
        top.expectsKey = top.keys !== undefined;
        continue;
      case ':':
        continue;
    }
    if (top?.keys === undefined || !top.expectsKey) continue;
    key = unquote(part);
    top.expectsKey = false;
    if (top.keys.has(key)) found.add(`duplicate field "${pathOf(top, key)}"`);
    top.keys.add(key);
  }
  return [...found];
}

interface Frame {
  readonly path: string;
  readonly keys: Set<string> | undefined;
  index: number;
  expectsKey: boolean;
}

function pathOf(frame: Frame | undefined, key: string | undefined): string {
  if (frame === undefined) return '';
  if (frame.keys === undefined) return `${frame.path}[${frame.index}]`;
  return frame.path === '' ? (key ?? '') : `${frame.path}.${key ?? ''}`;
}

function unquote(token: string): string {
  try {
    const value: unknown = JSON.parse(token);
    return typeof value === 'string' ? value : token;
  } catch {
    return token;
  }
}

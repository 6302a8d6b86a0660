/**
 * The longest text that every match of an RE2 expression contains, '' where none is known for sure. Only plain
 * characters outside groups, classes and alternations count, so what is found is always right, if not always the best.
 */
export function requiredLiteral(expression: string): string {
  if (/\(\?[a-zA-Z-]*[i]/.test(expression) || hasTopLevelAlternation(expression)) return '';
  let best = '';
  let run = '';
  const finish = (): void => {
    if (run.length > best.length) best = run;
    run = '';
  };
  for (let i = 0; i < expression.length; ) {
    const char = String.fromCodePoint(expression.codePointAt(i) ?? 0);
    if (char === '(' || char === '[') {
      finish();
      i = skipGroup(expression, i);
      continue;
    }
    let literal = char;
    let next = i + char.length;
    if (char === '\\') {
      const escaped = expression[i + 1] ?? '';
      next = i + 2;
      if (escaped === 'Q' || escaped === 'p' || escaped === 'P' || escaped === 'x' || /\d/.test(escaped)) return best;
      literal = /[^\w]/.test(escaped) ? escaped : '';
    } else if ('.^$'.includes(char)) literal = '';
    else if ('*+?{}|)]'.includes(char)) {
      finish();
      i = next;
      continue;
    }
    const quantifier = expression[next] ?? '';
    if (literal === '' || '*?{'.includes(quantifier)) finish();
    else run += literal;
    if (quantifier === '+') finish();
    i = next;
    if ('*+?{'.includes(quantifier) && quantifier !== '') {
      const whole = /^(?:[*+?]|\{[^}]*\})\??/.exec(expression.slice(i))?.[0] ?? '';
      i += Math.max(1, whole.length);
    }
  }
  finish();
  return best;
}

function skipGroup(expression: string, start: number): number {
  if (expression[start] === '[') return endOfClass(expression, start);
  let depth = 0;
  for (let i = start; i < expression.length; i++) {
    const char = expression[i];
    if (char === '\\') i++;
    else if (char === '[') i = endOfClass(expression, i) - 1;
    else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return i + 1;
  }
  return expression.length;
}

function endOfClass(expression: string, start: number): number {
  let i = start + 1;
  if (expression[i] === '^') i++;
  if (expression[i] === ']') i++;
  for (; i < expression.length; i++) {
    if (expression[i] === '\\') i++;
    else if (expression[i] === '[' && expression[i + 1] === ':') i = expression.indexOf(':]', i) + 1;
    else if (expression[i] === ']') return i + 1;
  }
  return expression.length;
}

function hasTopLevelAlternation(expression: string): boolean {
  for (let i = 0; i < expression.length; i++) {
    const char = expression[i];
    if (char === '\\') i++;
    else if (char === '(' || char === '[') i = skipGroup(expression, i) - 1;
    else if (char === '|') return true;
  }
  return false;
}

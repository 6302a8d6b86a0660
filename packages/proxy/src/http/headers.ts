/** Header fields in order: name (lower case), value, name, value, … One array a message keeps the cost low. */
export type HeaderList = string[];

export function getHeader(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

/** All values of a field joined by a comma, as Envoy's string matchers see them. */
export function getJoinedHeader(headers: HeaderList, name: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i] === name) joined = joined === undefined ? headers[i + 1] : `${joined},${headers[i + 1]}`;
  return joined;
}

/** Sets the first field of that name and removes the others. */
export function setHeader(headers: HeaderList, name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    headers[i + 1] = value;
    removeFrom(headers, name, i + 2);
    return;
  }
  headers.push(name, value);
}

export function addHeader(headers: HeaderList, name: string, value: string): void {
  headers.push(name, value);
}

export function removeHeader(headers: HeaderList, name: string): void {
  removeFrom(headers, name, 0);
}

function removeFrom(headers: HeaderList, name: string, start: number): void {
  let to = start;
  for (let from = start; from < headers.length; from += 2) {
    if (headers[from] === name) continue;
    if (to !== from) {
      headers[to] = headers[from] as string;
      headers[to + 1] = headers[from + 1] as string;
    }
    to += 2;
  }
  headers.length = to;
}

/** True when a comma-separated field value holds the token, case aside. */
export function hasToken(value: string | undefined, token: string): boolean {
  if (value === undefined) return false;
  if (value.length === token.length) return value.toLowerCase() === token;
  return value.split(',').some((part) => part.trim().toLowerCase() === token);
}

const CONTROL = /[\0\r\n]/g;

/** A value that cannot end its line, whatever went into it. */
export function safeValue(value: string): string {
  return value.replace(CONTROL, ' ');
}

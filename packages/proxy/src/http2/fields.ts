import type { IncomingHttpHeaders } from 'node:http';
import type { HeaderList } from '../http/headers.ts';

/** RFC 9113 section 8.2.2: fields that belong to an HTTP/1 connection. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'host',
]);

/** Node's header object as a list, without pseudo and connection fields. Cookie crumbs are joined. */
export function listOf(fields: IncomingHttpHeaders): HeaderList {
  const list: HeaderList = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value === undefined || name.startsWith(':') || CONNECTION_FIELDS.has(name)) continue;
    if (typeof value === 'string') list.push(name, value);
    else if (Array.isArray(value)) for (const one of value) list.push(name, one);
  }
  return list;
}

export function objectOf(list: HeaderList): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    if (CONNECTION_FIELDS.has(name)) continue;
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = [before, value];
  }
  return fields;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMesh, type TestMesh } from './mesh.ts';
import { exchangeRaw, statuses } from './raw-client.ts';

interface Case {
  readonly name: string;
  readonly expect: readonly number[];
  readonly seen: number;
  readonly bytes: string;
}

function parseCases(text: string): Case[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((block) => {
      const [name = '', ...lines] = block.split('\n');
      const field = (key: string): string =>
        lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2) ?? '';
      const bytes = lines
        .filter((line) => !/^(expect|seen): /.test(line))
        .join('')
        .replace(/\\(?:x([0-9a-f]{2})|([rnt0]))/g, (_whole, hex?: string, letter?: string) =>
          hex
            ? String.fromCharCode(Number.parseInt(hex, 16))
            : ({ r: '\r', n: '\n', t: '\t', '0': '\0' }[letter ?? ''] ?? ''),
        );
      return { name, expect: field('expect').split(' ').map(Number), seen: Number(field('seen')), bytes };
    });
}

let mesh: TestMesh;
let seen: string[] = [];

beforeAll(async () => {
  mesh = await startMesh({
    front: (request, response) => {
      request.resume();
      request.on('end', () => {
        seen.push(`${request.method} ${request.url}`);
        response.end('ok');
      });
    },
    back: (_request, response) => response.end(),
  });
  await mesh.apply((snapshot) => ({
    ...snapshot,
    routeTables: {
      ...snapshot.routeTables,
      gateway: {
        name: 'g',
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: {},
                operation: 'x',
                action: {
                  kind: 'forward',
                  destinations: [{ cluster: 'outbound|8080||front-end.default.svc.cluster.local', weight: 1 }],
                },
              },
            ],
          },
        ],
      },
    },
  }));
});

afterAll(async () => {
  await mesh[Symbol.asyncDispose]();
});

const cases = parseCases(readFileSync(join(import.meta.dirname, '..', 'testdata', 'smuggling.txt'), 'utf8'));

describe('no request is taken for another', () => {
  test.each(cases)('$name', async ({ bytes, expect: wanted, seen: count }) => {
    seen = [];
    const answer = await exchangeRaw(mesh.gateway, mesh.gatewayPort, bytes, wanted.length);
    expect(statuses(answer)).toEqual(wanted);
    expect(seen).toHaveLength(count);
  });

  test('the same, one byte at a time, is understood the same', async () => {
    for (const { bytes, expect: wanted, name } of cases.filter(({ bytes: b }) => b.length < 90)) {
      const answer = await exchangeRaw(mesh.gateway, mesh.gatewayPort, [...bytes], wanted.length);
      expect([name, statuses(answer)]).toEqual([name, wanted]);
    }
  });

  test('heads beyond the limits', async () => {
    const long = await exchangeRaw(
      mesh.gateway,
      mesh.gatewayPort,
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`,
    );
    expect(statuses(long)).toEqual([431]);
    const many = await exchangeRaw(
      mesh.gateway,
      mesh.gatewayPort,
      `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(150)}\r\n`,
    );
    expect(statuses(many)).toEqual([431]);
    const endless = await exchangeRaw(mesh.gateway, mesh.gatewayPort, `GET /${'a'.repeat(70_000)}`);
    expect(statuses(endless)).toEqual([431]);
  });
});

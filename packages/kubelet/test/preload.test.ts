import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { socketPort } from '../src/node/low-ports.ts';

const PRELOAD = fileURLToPath(new URL('../preload/kind-e2e-preload.cjs', import.meta.url));
const HOST = '127.8.77.5';
const KNOWN: Record<string, string> = {
  'backend.shop.svc.cluster.local': '127.8.77.9',
  'other.svc.cluster.local': '127.8.77.10',
  'a.b.c.d.e.f': '127.8.77.11',
};

let dns: Socket;
let asked: string[] = [];

/** Answers A questions from the table, everything else with NXDOMAIN. */
function answer(question: Buffer): Buffer {
  let end = 12;
  const labels: string[] = [];
  for (let length = question[end] ?? 0; length > 0; length = question[end] ?? 0) {
    labels.push(question.toString('latin1', end + 1, end + 1 + length));
    end += length + 1;
  }
  const name = labels.join('.');
  asked.push(name);
  const address = KNOWN[name];
  const head = Buffer.from(question.subarray(0, end + 5));
  head.writeUInt16BE(address ? 0x8580 : 0x8583, 2);
  head.writeUInt16BE(address ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  if (!address) return head;
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([head, record]);
}

beforeAll(async () => {
  dns = createSocket('udp4');
  dns.on('message', (message, from) => dns.send(answer(message), from.port, from.address));
  await new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', resolve));
});

afterAll(() => dns.close());

async function run(program: string, module = false, extraEnv: Record<string, string> = {}): Promise<unknown> {
  asked = [];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...(module ? ['--input-type=module'] : []), '-e', program],
    {
      env: {
        PATH: process.env.PATH,
        NODE_OPTIONS: `--require ${PRELOAD}`,
        KIND_E2E_HOST: HOST,
        KIND_E2E_DNS: `127.0.0.1:${dns.address().port}`,
        KIND_E2E_DNS_SEARCH: 'shop.svc.cluster.local svc.cluster.local cluster.local',
        ...extraEnv,
      },
    },
  );
  return JSON.parse(stdout);
}

const LISTEN = (args: string) =>
  `const s = require('node:net').createServer().listen(${args}); s.on('listening', () => { console.log(JSON.stringify(s.address().address)); s.close(); })`;

describe('the preload', () => {
  it.each([
    ['0', HOST],
    ["0, '0.0.0.0'", HOST],
    ["0, '::'", HOST],
    ['0, () => {}', HOST],
    ["'0'", HOST],
    ['0, undefined, 5', HOST],
    ['{ port: 0 }', HOST],
    ["{ port: 0, host: '0.0.0.0' }", HOST],
    ['', HOST],
    ["0, '127.0.0.1'", '127.0.0.1'],
    ["{ port: 0, host: '127.0.0.2' }", '127.0.0.2'],
  ])('listens where the pod is: listen(%s)', async (args, address) => {
    expect(await run(LISTEN(args))).toBe(address);
  });

  it('binds datagrams where the pod is', async () => {
    const program = (args: string) =>
      `const s = require('node:dgram').createSocket('udp4'); s.bind(${args}); s.on('listening', () => { console.log(JSON.stringify(s.address().address)); s.close(); })`;
    expect(await run(program(''))).toBe(HOST);
    expect(await run(program('0'))).toBe(HOST);
    expect(await run(program("{ port: 0, address: '127.0.0.1' }"))).toBe('127.0.0.1');
  });

  it('has ports below 1024 for any user, and finds those that a program holds without a shift', async () => {
    const program = `
      const net = require('node:net');
      const plain = require('node:child_process').spawn(process.execPath, ['-e',
        "require('node:net').createServer((c) => c.end('plain')).listen(1080, '${HOST}', () => console.log('up'))"],
        { env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
      const server = require('node:http').createServer((q, s) => s.end('port ' + q.socket.localPort)).listen(81, async () => {
        const results = [server.address().port, await (await fetch('http://${HOST}:81')).text()];
        results.push(await new Promise((done) => {
          const shifted = net.connect(${socketPort(81, 1081)}, '${HOST}', () => { done(shifted.remotePort); shifted.destroy(); });
        }));
        plain.stdout.once('data', () => {
          net.connect(1080, '${HOST}').setEncoding('utf8').once('data', (text) => {
            net.connect(82, '${HOST}').once('error', (error) => {
              results.push(text, error.code + ' ' + error.port);
              console.log(JSON.stringify(results));
              plain.kill();
              process.exit();
            });
          });
        });
      });`;
    // A limit above the real one lets the child, who has no shift, listen below it.
    expect(await run(program, false, { KIND_E2E_LOW_PORTS: '1081' })).toEqual([
      81,
      'port 81',
      81,
      'plain',
      'ECONNREFUSED 82',
    ]);
  });

  it('reaches its own ports through localhost, and others of the machine too', async () => {
    const program = `
      const http = require('node:http');
      const own = http.createServer((q, s) => s.end('own')).listen(0);
      const other = http.createServer((q, s) => s.end('other')).listen(0, '127.0.0.1', async () => {
        const results = [];
        for (const host of ['localhost', '127.0.0.1'])
          for (const server of [own, other]) {
            const answer = await fetch('http://' + host + ':' + server.address().port);
            results.push(await answer.text());
          }
        results.push(await new Promise((done) => require('node:net').connect(own.address().port).on('connect', function () { done(this.remoteAddress); this.destroy(); })));
        console.log(JSON.stringify(results));
        process.exit();
      });`;
    expect(await run(program)).toEqual(['own', 'other', 'own', 'other', HOST]);
  });

  it('finds names of services in all their forms', async () => {
    const program = `
      import { lookup } from 'node:dns/promises';
      import dns from 'node:dns';
      import { promisify } from 'node:util';
      const names = ['backend', 'backend.shop', 'backend.shop.svc', 'BACKEND.shop.svc.cluster.local', 'backend.shop.svc.cluster.local.', 'other', 'a.b.c.d.e.f'];
      const found = {};
      for (const name of names) found[name] = (await lookup(name)).address;
      const all = await promisify(dns.lookup)('backend', { all: true });
      const missing = await lookup('missing').catch((error) => [error.code, error.syscall, error.hostname]);
      const six = await lookup('localhost').then((r) => typeof r.address);
      const resolved = await dns.promises.resolve4('backend.shop.svc.cluster.local');
      console.log(JSON.stringify({ found, all, missing, six, resolved }));`;
    expect(await run(program, true)).toEqual({
      found: {
        backend: '127.8.77.9',
        'backend.shop': '127.8.77.9',
        'backend.shop.svc': '127.8.77.9',
        'BACKEND.shop.svc.cluster.local': '127.8.77.9',
        'backend.shop.svc.cluster.local.': '127.8.77.9',
        other: '127.8.77.10',
        'a.b.c.d.e.f': '127.8.77.11',
      },
      all: [{ address: '127.8.77.9', family: 4 }],
      missing: ['ENOTFOUND', 'getaddrinfo', 'missing'],
      six: 'string',
      resolved: ['127.8.77.9'],
    });
  });

  it('asks once for a name that is looked up often', async () => {
    await run(`const { lookup } = require('node:dns').promises; (async () => {
      for (let i = 0; i < 20; i++) await lookup('backend'); console.log('0'); })()`);
    expect(asked).toEqual(['backend.shop.svc.cluster.local']);
  });
});

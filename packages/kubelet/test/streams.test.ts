import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  controlFrame,
  dataFrameHead,
  FRAME,
  FrameReader,
  type SpdyFrame,
  uint32,
} from '../src/streaming/spdy/frames.ts';
import { HeaderCompressor } from '../src/streaming/spdy/header-codec.ts';
import { askKubelet, execIn, isReady, KUBELET_TOKEN, logsOf, startLab, type TestLab } from './lab.ts';

const PROGRAM = `
require('node:http').createServer((request, response) => { let n = 0; request.on('data', (d) => { n += d.length; }); request.on('end', () => response.end('got ' + n)); }).listen(8080);
for (let i = 0; i < 50; i++) console.log('line ' + i);
console.error('to stderr');
process.on('SIGTERM', () => process.exit(0));
`;

let lab: TestLab;

beforeAll(async () => {
  lab = await startLab({ block: 27 });
  const image = await lab.image('streams:1', PROGRAM);
  await lab.pod('app', {
    containers: [{ name: 'app', image, readinessProbe: { tcpSocket: { port: 8080 } } }],
  });
  await vi.waitFor(async () => expect(isReady(await lab.get('app'))).toBe(true), { timeout: 15_000, interval: 50 });
});

afterAll(() => lab?.[Symbol.asyncDispose]());

/** A SPDY/3.1 client as small as can be. */
class SpdyClient {
  readonly #socket: Duplex;
  readonly #reader = new FrameReader();
  readonly #compressor = new HeaderCompressor();
  readonly frames: SpdyFrame[] = [];
  isClosed = false;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    const take = (chunk: Buffer): void => void this.frames.push(...this.#reader.read(Buffer.from(chunk)));
    if (head.length > 0) take(head);
    socket.on('data', take);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static connect(path: string, protocol: string): Promise<SpdyClient> {
    return new Promise((resolve, reject) => {
      const sent = request(`https://${lab.nodeAddress}:${lab.kubelet.apiPort}${path}`, {
        method: 'POST',
        rejectUnauthorized: false,
        agent: false,
        headers: {
          authorization: `Bearer ${KUBELET_TOKEN}`,
          connection: 'Upgrade',
          upgrade: 'SPDY/3.1',
          'x-stream-protocol-version': protocol,
        },
      });
      sent.once('upgrade', (_response, socket, head) => resolve(new SpdyClient(socket, head)));
      sent.once('response', (response) => reject(new Error(String(response.statusCode))));
      sent.once('error', reject);
      sent.end();
    });
  }

  async open(id: number, headers: Record<string, string>): Promise<void> {
    const block = await this.#compressor.compress(new Map(Object.entries(headers)));
    this.#socket.write(controlFrame(FRAME.SYN_STREAM, 0, uint32(id, 0), Buffer.alloc(2), block));
  }

  send(id: number, data: string, isLast: boolean): void {
    const bytes = Buffer.from(data);
    this.#socket.write(Buffer.concat([dataFrameHead(id, isLast, bytes.length), bytes]));
  }

  raw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  text(id: number): string {
    return this.frames
      .map((frame) => (frame.kind === 'data' && frame.streamId === id ? frame.data.toString() : ''))
      .join('');
  }

  controls(type: number): SpdyFrame[] {
    return this.frames.filter((frame) => frame.kind === 'control' && frame.type === type);
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe('exec', () => {
  it('gives output, exit codes and takes input, over WebSocket', async () => {
    const outcome = await execIn(lab, 'app', ['sh', '-c', 'cat; echo problem >&2; exit 3'], 'hello');
    expect(outcome.stdout).toBe('hello');
    expect(outcome.stderr).toBe('problem\n');
    expect(outcome.status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
    expect((await execIn(lab, 'app', ['true'])).status).toMatchObject({ status: 'Success' });
    expect((await execIn(lab, 'app', ['nonsense'])).status.message).toContain(
      'exec: "nonsense": executable file not found in $PATH',
    );
  });

  it('speaks SPDY/3.1 with its compressed headers, replies and pings', async () => {
    const client = await SpdyClient.connect('/exec/default/app/app?command=cat&input=1&output=1', 'v4.channel.k8s.io');
    for (const [index, streamtype] of ['error', 'stdin', 'stdout'].entries())
      await client.open(index * 2 + 1, { streamtype });
    client.raw(controlFrame(FRAME.PING, 0, uint32(7)));
    client.send(3, 'over spdy', true);
    await expect.poll(() => client.text(5)).toBe('over spdy');
    await expect.poll(() => client.text(1)).toContain('"status":"Success"');
    expect(client.controls(FRAME.SYN_REPLY)).toHaveLength(3);
    expect(client.controls(FRAME.PING)).toHaveLength(1);
    await expect.poll(() => client.isClosed).toBe(true);
  });

  it('gives a terminal of the client size', async () => {
    const query = new URLSearchParams([
      ['command', 'sh'],
      ['input', '1'],
      ['output', '1'],
      ['tty', '1'],
    ]);
    const socket = new WebSocket(
      `wss://${lab.nodeAddress}:${lab.kubelet.apiPort}/exec/default/app/app?${query}`,
      ['v4.channel.k8s.io'],
      { rejectUnauthorized: false, headers: { authorization: `Bearer ${KUBELET_TOKEN}` } },
    );
    let text = '';
    let status = '';
    socket.on('message', (message: Buffer) => {
      if (message[0] === 1) text += message.toString('utf8', 1);
      if (message[0] === 3) status += message.toString('utf8', 1);
    });
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(Buffer.concat([Buffer.from([4]), Buffer.from('{"Width":101,"Height":41}')]));
    const type = (line: string) => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(line)]));
    await expect.poll(() => text, { timeout: 5_000 }).toMatch(/[#$] $/);
    type('stty size; tty\n');
    await expect.poll(() => text).toMatch(/41 101\r\n\/dev\/pts\/\d+/);
    type('exit 5\n');
    await expect.poll(() => status).toContain('"message":"5"');
  });

  it('ends the program when the client goes', async () => {
    const client = await SpdyClient.connect(
      '/exec/default/app/app?command=sleep&command=987654&output=1',
      'v4.channel.k8s.io',
    );
    await client.open(1, { streamtype: 'error' });
    await client.open(3, { streamtype: 'stdout' });
    const count = async () =>
      (
        await execIn(lab, 'app', ['sh', '-c', 'grep -lsa 987654 /proc/[0-9]*/cmdline | grep -vc $$ ; true'])
      ).stdout.trim();
    await expect.poll(count).not.toBe('0');
    client.close();
    await expect.poll(count).toMatch(/^[01]$/);
  });

  it('refuses who shows no token and what is not there', async () => {
    await expect(SpdyClient.connect('/exec/default/app/nope?command=ls&output=1', 'v4.channel.k8s.io')).rejects.toThrow(
      '404',
    );
    const socket = new WebSocket(`wss://${lab.nodeAddress}:${lab.kubelet.apiPort}/exec/default/app/app?command=ls`, {
      rejectUnauthorized: false,
    });
    const status = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('error', () => undefined);
    });
    expect(status).toBe(401);
  });

  it('outlives garbage in place of frames', async () => {
    for (const garbage of [
      Buffer.alloc(64, 0xff),
      Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]),
      controlFrame(FRAME.SYN_STREAM, 0, Buffer.alloc(30, 7)),
    ]) {
      const client = await SpdyClient.connect(
        '/exec/default/app/app?command=cat&input=1&output=1',
        'v4.channel.k8s.io',
      );
      client.raw(garbage);
      client.raw(garbage);
      await expect.poll(() => client.isClosed, { timeout: 3_000 }).toBe(true);
    }
    expect((await execIn(lab, 'app', ['true'])).status.status).toBe('Success');
  });
});

describe('port-forward', () => {
  it('connects to the pod over SPDY, and says when nothing listens', async () => {
    const client = await SpdyClient.connect('/portForward/default/app', 'portforward.k8s.io');
    await client.open(1, { streamtype: 'error', port: '8080', requestid: '0' });
    await client.open(3, { streamtype: 'data', port: '8080', requestid: '0' });
    client.send(3, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', false);
    await expect.poll(() => client.text(3)).toContain('got 0');
    await client.open(5, { streamtype: 'error', port: '9', requestid: '1' });
    await client.open(7, { streamtype: 'data', port: '9', requestid: '1' });
    await expect.poll(() => client.text(5)).toContain('connect: connection refused');
    client.close();
  });
});

describe('logs', () => {
  it('come as they were asked for', async () => {
    expect(await logsOf(lab, 'app', 'app', 'tailLines=2&stream=Stdout')).toBe('line 48\nline 49\n');
    expect(await logsOf(lab, 'app', 'app', 'stream=Stderr')).toBe('to stderr\n');
    expect(await logsOf(lab, 'app', 'app', 'tailLines=0')).toBe('');
    expect(await logsOf(lab, 'app', 'app', 'limitBytes=10&stream=Stdout')).toBe('line 0\nlin');
    expect(await logsOf(lab, 'app', 'app', 'timestamps=true&tailLines=1&stream=Stdout')).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z line 49\n$/,
    );
    expect(await logsOf(lab, 'app', 'app', `sinceTime=${new Date(Date.now() + 60_000).toISOString()}`)).toBe('');
    expect(await askKubelet(lab, '/containerLogs/default/app/app?previous=true')).toEqual({
      status: 400,
      text: 'previous terminated container "app" in pod "app" not found',
    });
  });

  it('tell what containers take', async () => {
    const summary = JSON.parse((await askKubelet(lab, '/stats/summary')).text);
    const container = summary.pods.find((pod: { podRef: { name: string } }) => pod.podRef.name === 'app').containers[0];
    expect(container.memory.workingSetBytes).toBeGreaterThan(5_000_000);
    expect(container.cpu.usageCoreNanoSeconds).toBeGreaterThan(0);
    expect((await askKubelet(lab, '/metrics/resource')).text).toMatch(
      /container_memory_working_set_bytes\{container="app",namespace="default",pod="app"\} \d+ \d+/,
    );
    expect((await askKubelet(lab, '/metrics/cadvisor')).text).toContain(
      'container_cpu_usage_seconds_total{container="app"',
    );
    expect((await askKubelet(lab, '/healthz')).text).toBe('ok');
  });
});

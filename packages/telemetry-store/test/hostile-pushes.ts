/** What pushes that mean no good are made of, and how the store is to answer them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGarbageCollector } from '@kind-e2e/base';
// @ts-expect-error it has no types
import snappy from 'snappyjs';
import { afterAll, beforeAll, expect } from 'vitest';
import { createReceiver, openTelemetryStore, type TelemetryStore } from '../src/index.ts';
import { temporaryDirectory } from './fixtures.ts';

export const CASES = Number(process.env.HOSTILE_CASES ?? 400);
export const MAX_CPU_MS = 3000;
/** What the largest push may take for a while, and what all of them may leave behind. */
const MAX_GROWTH_BYTES = 300 * 1024 * 1024;
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Pushes after which garbage is collected, which else is most of the growth. */
const COLLECT_EVERY = 10;

export interface Push {
  readonly path: string;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

export interface DiceOptions {
  readonly seed: number;
  /** One in so many choices is not the first. */
  readonly choices: number;
  /** One in so many bodies is damaged. */
  readonly bodies: number;
  /** One in so many fields of protobuf is of the wrong number or kind. */
  readonly fields: number;
  /** One in so many fields of protobuf has the wrong length. */
  readonly lengths: number;
  /** The eight bytes of a number in a field. */
  readonly number: (value: number) => Buffer;
}

/** Chance that is the same each run; `HOSTILE_SEED` makes it another. */
export function createDice(options: DiceOptions) {
  let state = Number(process.env.HOSTILE_SEED ?? options.seed);
  function random(below: number): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  }
  function pick<T>(values: readonly [T, ...T[]]): T {
    return values[random(values.length)] ?? values[0];
  }
  /** The first of them, mostly. */
  function mostly<T>(values: readonly [T, ...T[]]): T {
    return random(options.choices) > 0 ? values[0] : pick(values);
  }
  function some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: random(most + 1) }, make);
  }
  /** A field of protobuf; now and then of the wrong number, kind or length. */
  function field(number: number, content: Buffer | string | bigint | number): Buffer {
    const isOdd = random(options.fields) === 0;
    const tag = isOdd ? pick([0, 15, number + 1, 2 ** 29 - 1]) : number;
    const key = (kind: number): Buffer => varint(BigInt(tag) * 8n + BigInt(isOdd ? random(8) : kind));
    if (typeof content === 'bigint') return Buffer.concat([key(0), varint(content)]);
    if (typeof content === 'number') return Buffer.concat([key(1), options.number(content)]);
    const bytes = Buffer.from(content);
    const length = random(options.lengths) === 0 ? pick([0n, 1n << 31n, (1n << 63n) - 1n, -1n]) : BigInt(bytes.length);
    return Buffer.concat([key(2), varint(length), bytes]);
  }
  /** Cut short, or with a few other bytes; mostly as it was. */
  function damaged(bytes: Buffer): Buffer {
    if (bytes.length === 0 || random(options.bodies) > 0) return bytes;
    if (random(3) === 0) return bytes.subarray(0, random(bytes.length));
    const copy = Buffer.from(bytes);
    for (let i = 1 + random(4); i > 0; i--) copy[random(copy.length)] = random(256);
    return copy;
  }
  /** Compressed as a block of snappy; one in `liars` says a length that is not its own. */
  function snapped(plain: Buffer, liars: number): Buffer {
    const body = Buffer.from(snappy.compress(new Uint8Array(plain)) as Uint8Array);
    if (random(liars) > 0) return body;
    return Buffer.concat([varint(pick([1n << 40n, 1n << 31n, 0n, 5n])), body.subarray(1)]);
  }
  return { random, pick, mostly, some, field, damaged, snapped };
}

export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

export function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

/** A store behind HTTP for the tests of a file. */
export class PushedStore {
  #directory!: ReturnType<typeof temporaryDirectory>;
  #store!: TelemetryStore;
  #server!: Server;

  constructor() {
    beforeAll(async () => {
      this.#directory = temporaryDirectory();
      const store = this.#open();
      const receive = createReceiver({ store, bodyLimits: { maxBodyBytes: 1 << 20, maxDecodedBytes: 1 << 21 } });
      this.#server = createServer((request, response) => void receive(request, response));
      await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(async () => {
      this.#server.close().closeAllConnections();
      await this.#store.close();
      this.#directory[Symbol.dispose]();
    });
  }

  #open(): TelemetryStore {
    this.#store = openTelemetryStore({ directory: this.#directory.path, retention: 'off' });
    return this.#store;
  }

  async send({ path, body, headers }: Push): Promise<{ status: number; text: string }> {
    const { port } = this.#server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers,
    });
    return { status: answer.status, text: await answer.text() };
  }

  /** Each push is answered in the protocol's form, soon, and without much memory that stays; some are taken. */
  async expectAnswers(makePush: () => Push): Promise<void> {
    const collect = createGarbageCollector();
    let began = process.memoryUsage();
    let taken = 0;
    for (let i = 0; i < CASES; i++) {
      // What it takes to do this at all is no growth.
      const isBegin = i === Math.floor(CASES / 3);
      if (isBegin || i % COLLECT_EVERY === 0) collect();
      if (isBegin) began = process.memoryUsage();
      const push = makePush();
      const cpu = process.cpuUsage();
      const { status, text } = await this.send(push);
      const { user, system } = process.cpuUsage(cpu);
      const what = `${i} ${push.path} ${JSON.stringify(push.headers)} ${push.body.toString('base64', 0, 450)}: ${status} ${text.slice(0, 300)}`;
      expect([200, 204, 400, 413, 415, 429], what).toContain(status);
      if (status === 204 || status === 200) taken++;
      else expect(text.trim(), what).not.toBe('');
      expect((user + system) / 1000, what).toBeLessThan(MAX_CPU_MS);
      expect(text.length, what).toBeLessThan(1 << 20);
    }
    expect(taken).toBeGreaterThan(CASES / 20);
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    expect(rss - began.rss).toBeLessThan(MAX_GROWTH_BYTES);
    expect(heapUsed + external - began.heapUsed - began.external).toBeLessThan(MAX_KEPT_BYTES);
  }

  /** What `count` finds is something, and is found again when the store was closed; the receiver has none after it. */
  async expectKept(count: (store: TelemetryStore) => number): Promise<void> {
    const before = count(this.#store);
    expect(before).toBeGreaterThan(20);
    await this.#store.close();
    expect(count(this.#open())).toBe(before);
  }
}

import type { AttributeValue } from '@kind-e2e/telemetry';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

/** 64 KiB: with 40,000 different tags one in three hundred questions is answered "perhaps" wrongly. */
const BITS = 1 << 19;
const PROBES = 5;

/** The tags (`key=value`, values as text) of a block, so that a search passes over blocks without the wanted one. */
export class TagBloomBuilder {
  readonly #bits = new Uint8Array(BITS / 8);

  /** Adds the attributes of a Resource message. */
  addResource(bytes: Buffer): void {
    const reader = new ProtobufReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) this.addAttribute(reader.message());
      else reader.skipField();
    }
  }

  /** Adds the attributes of a span's event. */
  addEvent(event: ProtobufReader): void {
    while (event.next()) {
      if (event.field === 3) this.addAttribute(event.message());
      else event.skipField();
    }
  }

  /** Adds one KeyValue. */
  addAttribute(message: ProtobufReader): void {
    let hash = 0;
    while (message.next()) {
      if (message.field === 1) {
        const length = message.varint();
        const at = message.at;
        message.skip(length);
        hash = hashBytes(message.buffer, at, at + length, FNV_BASIS);
      } else if (message.field === 2) {
        const value = message.message();
        const at = value.at;
        if (value.next() && value.field === 1 && value.wire === 2) {
          const length = value.varint();
          const from = value.at;
          value.skip(length);
          hash = hashBytes(value.buffer, from, from + length, hash);
        } else {
          value.at = at;
          const text = Buffer.from(attributeText(readValue(value)));
          hash = hashBytes(text, 0, text.length, hash);
        }
      } else message.skipField();
    }
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = probeOf(hash, probe, BITS);
      this.#bits[bit >> 3] = (this.#bits[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  /** The filter, folded in half for as long as few of its bits are set; its length is a power of two. */
  build(): Buffer {
    let bits = Buffer.from(this.#bits);
    while (bits.length > 64 && fill(bits) < 0.2) {
      const half = bits.length / 2;
      for (let i = 0; i < half; i++) bits[i] = (bits[i] ?? 0) | (bits[half + i] ?? 0);
      bits = Buffer.from(bits.subarray(0, half));
    }
    return bits;
  }
}

const FNV_BASIS = 0x811c9dc5;

function hashBytes(bytes: Buffer, from: number, to: number, basis: number): number {
  let hash = basis;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash >>> 0;
}

function probeOf(hash: number, probe: number, size: number): number {
  const second = (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0) | 1;
  return (hash + probe * second) % size;
}

/** The share of bits that are set. */
function fill(bits: Uint8Array): number {
  let set = 0;
  for (const byte of bits) for (let rest = byte; rest !== 0; rest &= rest - 1) set++;
  return set / (bits.length * 8);
}

/** False where the block, whose filter this is, has no such tag for sure. */
export function mayHaveTag(bits: Uint8Array, key: string, value: AttributeValue): boolean {
  const keyBytes = Buffer.from(key);
  const text = Buffer.from(attributeText(value));
  const hash = hashBytes(text, 0, text.length, hashBytes(keyBytes, 0, keyBytes.length, FNV_BASIS));
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = probeOf(hash, probe, bits.length * 8);
    if (((bits[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

import type { AttributeValue } from '@kind-e2e/telemetry';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, readValue } from './attribute-codec.ts';

const BITS_PER_TAG = 10;
const PROBES = 5;

/** The tags (`key=value`, values as text) of a block, so that a search passes over blocks without the wanted one. */
export class TagBloomBuilder {
  readonly #hashes = new Set<number>();

  /** Adds the attributes that stand in the given field of a protobuf message. */
  addAttributes(bytes: Buffer, from: number, to: number, field: number): void {
    const reader = new ProtobufReader(bytes, from, to);
    while (reader.next()) {
      if (reader.field === field) this.#addAttribute(reader.message());
      else if (field === 9 && reader.field === 11) {
        // Events: their attributes are searched as well.
        const event = reader.message();
        while (event.next()) {
          if (event.field === 3) this.#addAttribute(event.message());
          else event.skipField();
        }
      } else reader.skipField();
    }
  }

  #addAttribute(message: ProtobufReader): void {
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
    this.#hashes.add(hash);
  }

  build(): Buffer {
    const bits = Math.max(64, this.#hashes.size * BITS_PER_TAG);
    const bytes = Buffer.alloc(Math.ceil(bits / 8));
    const size = bytes.length * 8;
    for (const hash of this.#hashes)
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = probeOf(hash, probe, size);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
    return bytes;
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

/** False where the block has no such tag for sure. */
export function mayHaveTag(bloom: Uint8Array, key: string, value: AttributeValue): boolean {
  const keyBytes = Buffer.from(key);
  const text = Buffer.from(attributeText(value));
  const hash = hashBytes(text, 0, text.length, hashBytes(keyBytes, 0, keyBytes.length, FNV_BASIS));
  const size = bloom.length * 8;
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = probeOf(hash, probe, size);
    if (((bloom[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

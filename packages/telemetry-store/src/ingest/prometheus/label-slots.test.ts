import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LabelSlots } from './label-slots.ts';

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

describe('LabelSlots', () => {
  it('finds what was added under the same bytes and nothing else, in any order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 400 }),
        fc.array(fc.nat(500), { maxLength: 500 }),
        (keys, looks) => {
          const slots = new LabelSlots();
          const bytesOf = (key: string): Buffer => Buffer.from(`..${key}..`);
          const find = (key: string): unknown => {
            const bytes = bytesOf(key);
            return slots.find(viewOf(bytes), 2, bytes.length - 2);
          };
          for (const key of keys) {
            expect(find(key)).toBeUndefined();
            const bytes = bytesOf(key);
            slots.add(viewOf(bytes), 2, bytes.length - 2, `is ${key}`);
          }
          for (const key of keys) expect(find(key)).toBe(`is ${key}`);
          for (const look of looks) {
            const key = keys[look];
            if (key !== undefined) expect(find(key)).toBe(`is ${key}`);
          }
          expect(find('longer than any key')).toBeUndefined();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('forgets when there are too many, and goes on', () => {
    const slots = new LabelSlots();
    const bytes = Buffer.alloc(4);
    for (let i = 0; i < 150_000; i++) {
      bytes.writeUInt32BE(i);
      slots.add(viewOf(bytes), 0, 4, String(i));
      expect(slots.find(viewOf(bytes), 0, 4)).toBe(String(i));
    }
    bytes.writeUInt32BE(0);
    expect(slots.find(viewOf(bytes), 0, 4)).toBeUndefined();
  });
});

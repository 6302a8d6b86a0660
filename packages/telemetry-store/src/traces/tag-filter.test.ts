import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, writeAttributes } from './attribute-codec.ts';
import { hashTag, mayHaveTag, TagFilterBuilder } from './tag-filter.ts';

const VALUES = [
  'text',
  'long'.repeat(100),
  '',
  'ä-ö-ü',
  7,
  -1,
  0.5,
  true,
  2n ** 60n,
  ['a', 1],
  { deep: 'x' },
  new Uint8Array([1, 2]),
];

/** Attributes in the form in which a span has them. */
function add(filter: TagFilterBuilder, attributes: Parameters<typeof writeAttributes>[2]): void {
  const out = new ByteWriter();
  writeAttributes(out, 9, attributes);
  const reader = new ProtobufReader(out.copy());
  while (reader.next()) {
    const message = reader.message();
    filter.addAttributeAt(message.buffer, message.at, message.end);
  }
}

describe('the filter of tags', () => {
  it('never denies a tag that the block has, be it the only one or one of many', () => {
    for (const count of [1, 50, 20_000]) {
      const filter = new TagFilterBuilder();
      for (let i = 0; i < count; i++) add(filter, { [`key-${i % 977}`]: `value-${i}` });
      for (const [i, value] of VALUES.entries()) add(filter, { [`special-${i}`]: value });
      const parts = filter.build();
      const has = (key: string, value: string): boolean => {
        const tag = hashTag(key, value);
        return mayHaveTag(parts[tag.part] ?? new Uint8Array(), tag);
      };
      for (let i = 0; i < count; i++) expect(has(`key-${i % 977}`, `value-${i}`)).toBe(true);
      for (const [i, value] of VALUES.entries()) expect(has(`special-${i}`, attributeText(value))).toBe(true);
    }
  });

  it('denies nearly all others, and is small where there are few tags', () => {
    const filter = new TagFilterBuilder();
    for (let i = 0; i < 40_000; i++) add(filter, { key: `value-${i}` });
    const parts = filter.build();
    let perhaps = 0;
    for (let i = 0; i < 10_000; i++) {
      const tag = hashTag('key', `other-${i}`);
      if (mayHaveTag(parts[tag.part] ?? new Uint8Array(), tag)) perhaps++;
    }
    expect(perhaps).toBeLessThan(150);
    const small = new TagFilterBuilder();
    for (let i = 0; i < 20; i++) add(small, { key: `value-${i}` });
    expect(small.build().reduce((sum, part) => sum + part.length, 0)).toBeLessThan(2000);
  });
});

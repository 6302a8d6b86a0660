import { describe, expect, it } from 'vitest';
import { MalformedError } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { ProtobufReader } from '../bytes/protobuf.ts';
import { attributeText, writeAttributes } from './attribute-codec.ts';
import { hashTag } from './tag-hash.ts';
import { TagPrintsBuilder } from './tag-prints.ts';
import { GroupMarks, WantedPrints } from './wanted-prints.ts';

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

/** Adds attributes in the form in which a span has them. */
function add(builder: TagPrintsBuilder, attributes: Parameters<typeof writeAttributes>[2]): void {
  const out = new ByteWriter();
  writeAttributes(out, 9, attributes);
  const reader = new ProtobufReader(out.copy());
  while (reader.next()) {
    const message = reader.message();
    builder.addAttributeAt(message.buffer, message.at, message.end);
  }
}

/** The groups that may have one of the prints. */
function groupsOf(parts: readonly Buffer[], wanted: WantedPrints, count: number): number[] {
  const marks = new GroupMarks(count);
  wanted.mark(parts[wanted.part] ?? new Uint8Array(), marks);
  return Array.from({ length: count }, (_, group) => group).filter((group) => marks.longest(group) > 0);
}

describe('the prints of tags', () => {
  it('find the groups that have a tag in a span of the operation, and hardly another', () => {
    const builder = new TagPrintsBuilder();
    for (let group = 0; group < 50; group++) {
      for (let i = 0; i < 200; i++) {
        builder.beginSpan(i % 10, i, 5);
        add(builder, { id: `${group}-${i}`, often: 'here' });
      }
      builder.beginSpan(99, 200, 5);
      for (const [i, value] of VALUES.entries()) if (i === group) add(builder, { [`special-${i}`]: value });
      builder.endGroup();
    }
    const parts = builder.build();
    const find = (key: string, value: string, ...operations: number[]): number[] =>
      groupsOf(parts, WantedPrints.ofTag(hashTag(key, value), operations), 50);
    let inVain = 0;
    for (let group = 0; group < 50; group++) {
      const found = find('id', `${group}-37`, 7);
      expect(found).toContain(group);
      inVain += found.length - 1 + find('id', `${group}-37`, 8).length + find('id', `${group}-1000`, 7).length;
    }
    // One group in some thousand; asked were 50 groups 150 times.
    expect(inVain).toBeLessThan(30);
    expect(find('often', 'here', 3)).toHaveLength(50);
    expect(find('often', 'here', 1, 2, 3)).toHaveLength(50);
    for (const [i, value] of VALUES.entries()) expect(find(`special-${i}`, attributeText(value), 99)).toContain(i);
  });

  it('find the groups that have a span of a resource', () => {
    const builder = new TagPrintsBuilder();
    for (let group = 0; group < 20; group++) {
      builder.beginSpan(5, 0, 5);
      builder.addResource(group);
      builder.addTag(hashTag('error', 'true'));
      builder.endGroup();
    }
    const parts = builder.build();
    expect(groupsOf(parts, WantedPrints.ofResources([3, 17], [5]), 20)).toEqual(expect.arrayContaining([3, 17]));
    expect(groupsOf(parts, WantedPrints.ofResources([3, 17], [6]), 20).length).toBeLessThan(3);
    expect(groupsOf(parts, WantedPrints.ofTag(hashTag('error', 'true'), [5]), 20)).toHaveLength(20);
  });

  it('tell one span from another, and how long the longest of many takes', () => {
    const builder = new TagPrintsBuilder();
    for (let row = 0; row < 60; row++) {
      builder.beginSpan(row % 2, row, row * 1_000_000);
      add(builder, { id: row, third: row % 3 === 0, often: 'here' });
    }
    builder.endGroup();
    const parts = builder.build();
    const marksOf = (key: string, value: string, ...operations: number[]): GroupMarks => {
      const marks = new GroupMarks(1);
      const wanted = WantedPrints.ofTag(hashTag(key, value), operations);
      wanted.mark(parts[wanted.part] ?? new Uint8Array(), marks);
      return marks;
    };
    const isThere = (...all: GroupMarks[]): number => {
      const [first = new GroupMarks(1), ...others] = all;
      for (const other of others) first.keep(other);
      return first.longest(0);
    };
    expect(isThere(marksOf('id', '7', 0, 1), marksOf('id', '8', 0, 1))).toBe(-Infinity);
    expect(isThere(marksOf('id', '7', 0))).toBe(-Infinity);
    for (const [id, third] of [
      [6, 'true'],
      [7, 'false'],
      [59, 'false'],
    ] as const) {
      const longest = isThere(
        marksOf('id', String(id), 0, 1),
        marksOf('third', third, 0, 1),
        marksOf('often', 'here', 1, 0),
      );
      expect(longest).toBeGreaterThanOrEqual(id * 1_000_000);
      expect(longest).toBeLessThan(id * 1_130_000);
    }
    expect(isThere(marksOf('third', 'true', 0, 1))).toBeGreaterThanOrEqual(57_000_000);
    expect(isThere(marksOf('often', 'here', 0))).toBeLessThan(58_000_000 * 1.13);
  });

  it('say so when they are damaged', () => {
    const builder = new TagPrintsBuilder();
    builder.beginSpan(1, 0, 5);
    add(builder, { key: 'value' });
    builder.endGroup();
    const wanted = WantedPrints.ofTag(hashTag('key', 'value'), [1]);
    const part = builder.build()[wanted.part] ?? Buffer.alloc(0);
    expect(() => wanted.mark(part.subarray(0, part.length - 1), new GroupMarks(1))).toThrow(MalformedError);
    expect(() => wanted.mark(Buffer.from([0xff, 0x7f]), new GroupMarks(1))).toThrow(MalformedError);
  });
});

import type { Database } from '../database.ts';
import { type BlockSummary, decodeSummary, type PackedBlock } from './block.ts';
import type { SpanCatalog } from './catalog.ts';
import type { Edge } from './dependencies.ts';
import { SpanGroup } from './group-codec.ts';
import { GroupIndex } from './group-index.ts';
import { SPAN_KINDS } from './span-codec.ts';
import { PRINT_PARTS } from './tag-prints.ts';
import type { GroupMarks, WantedPrints } from './wanted-prints.ts';

const INDEXES = [
  'CREATE TABLE IF NOT EXISTS group_indexes (block INTEGER PRIMARY KEY, data BLOB)',
  'CREATE TABLE span_prints (id INTEGER PRIMARY KEY, data BLOB)',
];

export const TRACES_SCHEMA = `
  ${INDEXES.join(';')};
  CREATE TABLE resources (id INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE scopes (id INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE operations (id INTEGER PRIMARY KEY, service TEXT, name TEXT, kind INTEGER);
  CREATE TABLE blocks (id INTEGER PRIMARY KEY, max_us REAL, seq INTEGER, summary BLOB, edges TEXT);
  CREATE TABLE groups (id INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER)
`;

/** Groups of block b have the ids from b * GROUPS_PER_BLOCK on. */
const GROUPS_PER_BLOCK = 65_536;
const GROUP_CACHE_BYTES = 16 * 1024 * 1024;
/** Entries of twelve bytes. */
const INDEX_CACHE_ENTRIES = 700_000;

export interface Block {
  readonly id: number;
  readonly sequence: number;
  readonly summary: BlockSummary;
}

/** The statements of the traces file, and small caches over what was read last. */
export class TracesFile {
  readonly #db: Database;
  readonly #groups = new Map<number, SpanGroup>();
  #groupBytes = 0;
  readonly #indexes = new Map<number, GroupIndex>();
  #indexEntries = 0;
  #stored = { resources: 0, scopes: 0, operations: 0 };

  constructor(db: Database) {
    this.#db = db;
    if (this.#first('SELECT name FROM sqlite_schema WHERE name = ?', 'span_prints')) return;
    // A file of before, which had other indexes. Its blocks are looked into without any.
    db.transaction(() => {
      for (const table of INDEXES) db.statement(table).run();
      for (const table of ['blooms', 'tag_filters', 'columns', 'tag_prints'])
        db.statement(`DROP TABLE IF EXISTS ${table}`).run();
    });
  }

  loadCatalog(catalog: SpanCatalog): void {
    for (const row of this.#db.scan('SELECT id, data FROM resources WHERE id > ? ORDER BY id LIMIT ?')) {
      while (catalog.resources.length < Number(row.id)) catalog.resource(lost(catalog.resources.length));
      catalog.resource(Buffer.from(row.data as Uint8Array));
    }
    for (const row of this.#db.scan('SELECT id, data FROM scopes WHERE id > ? ORDER BY id LIMIT ?')) {
      while (catalog.scopes.length < Number(row.id)) catalog.scope(lost(catalog.scopes.length));
      catalog.scope(Buffer.from(row.data as Uint8Array));
    }
    for (const row of this.#db.scan(
      'SELECT id, service, name, kind FROM operations WHERE id > ? ORDER BY id LIMIT ?',
    )) {
      while (catalog.operations.length < Number(row.id))
        catalog.restoreOperation('', 'unspecified', `lost-${catalog.operations.length}`);
      const kind = SPAN_KINDS[Number(row.kind)] ?? 'unspecified';
      catalog.restoreOperation(String(row.service), kind, row.name === null ? undefined : String(row.name));
    }
    this.#stored = {
      resources: catalog.resources.length,
      scopes: catalog.scopes.length,
      operations: catalog.operations.length,
    };
  }

  blocks(): Block[] {
    const blocks: Block[] = [];
    for (const row of this.#db.scan('SELECT id, seq, summary FROM blocks WHERE id > ? ORDER BY id LIMIT ?', 64)) {
      try {
        const summary = decodeSummary(row.summary as Uint8Array);
        blocks.push({ id: Number(row.id), sequence: Number(row.seq), summary });
      } catch (error) {
        this.#db.warnDamage(error);
      }
    }
    return blocks;
  }

  /** Writes a block and what is new in the catalog, at once. */
  writeBlock(id: number, sequence: number, block: PackedBlock, catalog: SpanCatalog): void {
    const db = this.#db;
    const stored = {
      resources: catalog.resources.length,
      scopes: catalog.scopes.length,
      operations: catalog.operations.length,
    };
    db.transaction(() => {
      for (const resource of catalog.resources.slice(this.#stored.resources))
        db.statement('INSERT OR REPLACE INTO resources (id, data) VALUES (?, ?)').run(resource.id, resource.bytes);
      for (const scope of catalog.scopes.slice(this.#stored.scopes))
        db.statement('INSERT OR REPLACE INTO scopes (id, data) VALUES (?, ?)').run(scope.id, scope.bytes);
      for (const operation of catalog.operations.slice(this.#stored.operations))
        db.statement('INSERT OR REPLACE INTO operations (id, service, name, kind) VALUES (?, ?, ?, ?)').run(
          operation.id,
          operation.service,
          operation.name ?? null,
          SPAN_KINDS.indexOf(operation.kind),
        );
      db.statement('INSERT INTO blocks (id, max_us, seq, summary, edges) VALUES (?, ?, ?, ?, ?)').run(
        id,
        block.summary.maxStartUs,
        sequence,
        block.packedSummary,
        JSON.stringify(block.edges),
      );
      db.statement('INSERT INTO group_indexes (block, data) VALUES (?, ?)').run(id, block.index.encode());
      const insertPrints = db.statement('INSERT INTO span_prints (id, data) VALUES (?, ?)');
      block.prints.forEach((part, i) => {
        insertPrints.run(id * PRINT_PARTS + i, part);
      });
      const insert = db.statement('INSERT INTO groups (id, data) VALUES (?, ?)');
      block.groups.forEach((group, i) => {
        insert.run(id * GROUPS_PER_BLOCK + i, group);
      });
    });
    this.#stored = stored;
    this.#keepIndex(id, block.index);
  }

  deleteBlock(id: number): void {
    const db = this.#db;
    db.transaction(() => {
      db.statement('DELETE FROM groups WHERE id >= ? AND id < ?').run(
        id * GROUPS_PER_BLOCK,
        (id + 1) * GROUPS_PER_BLOCK,
      );
      db.statement('DELETE FROM span_prints WHERE id >= ? AND id < ?').run(id * PRINT_PARTS, (id + 1) * PRINT_PARTS);
      db.statement('DELETE FROM group_indexes WHERE block = ?').run(id);
      db.statement('DELETE FROM blocks WHERE id = ?').run(id);
    });
    this.#dropIndex(id);
  }

  edges(id: number): readonly Edge[] {
    const row = this.#first('SELECT edges FROM blocks WHERE id = ?', id);
    try {
      return row ? (JSON.parse(String(row.edges)) as Edge[]) : [];
    } catch (error) {
      this.#db.warnDamage(error);
      return [];
    }
  }

  group(block: number, index: number): SpanGroup | undefined {
    const id = block * GROUPS_PER_BLOCK + index;
    const cached = this.#groups.get(id);
    if (cached) {
      this.#groups.delete(id);
      this.#groups.set(id, cached);
      return cached;
    }
    const row = this.#first('SELECT data FROM groups WHERE id = ?', id);
    if (!row) return undefined;
    try {
      const group = new SpanGroup(row.data as Uint8Array);
      this.#groups.set(id, group);
      this.#groupBytes += group.byteLength;
      for (const [oldest, entry] of this.#groups) {
        if (this.#groupBytes <= GROUP_CACHE_BYTES || oldest === id) break;
        this.#groups.delete(oldest);
        this.#groupBytes -= entry.byteLength;
      }
      return group;
    } catch (error) {
      this.#db.warnDamage(error);
      return undefined;
    }
  }

  /** What is known of a block's groups; made from the groups themselves where the file does not say. */
  index(block: number): GroupIndex {
    const cached = this.#indexes.get(block);
    if (cached) {
      this.#indexes.delete(block);
      this.#indexes.set(block, cached);
      return cached;
    }
    const index = this.#storedIndex(block) ?? this.#madeIndex(block);
    this.#keepIndex(block, index);
    return index;
  }

  #storedIndex(block: number): GroupIndex | undefined {
    const row = this.#first('SELECT data FROM group_indexes WHERE block = ?', block);
    if (!row) return undefined;
    try {
      return GroupIndex.decode(row.data as Uint8Array);
    } catch (error) {
      this.#db.warnDamage(error);
      return undefined;
    }
  }

  #madeIndex(block: number): GroupIndex {
    const first = block * GROUPS_PER_BLOCK;
    const last = this.#first('SELECT max(id) AS id FROM groups WHERE id < ?', first + GROUPS_PER_BLOCK)?.id;
    const count = typeof last === 'number' && last >= first ? last - first + 1 : 0;
    return GroupIndex.of(Array.from({ length: count }, (_, group) => this.group(block, group)));
  }

  #keepIndex(block: number, index: GroupIndex): void {
    this.#dropIndex(block);
    this.#indexes.set(block, index);
    this.#indexEntries += index.size;
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexEntries <= INDEX_CACHE_ENTRIES || oldest === block) break;
      this.#dropIndex(oldest);
    }
  }

  #dropIndex(block: number): void {
    this.#indexEntries -= this.#indexes.get(block)?.size ?? 0;
    this.#indexes.delete(block);
  }

  /** Marks the groups of a block that may have one of the prints: all where the block does not say. */
  markGroups(block: number, wanted: WantedPrints, marks: GroupMarks): void {
    const row = this.#first('SELECT data FROM span_prints WHERE id = ?', block * PRINT_PARTS + wanted.part);
    try {
      if (row) wanted.mark(row.data as Uint8Array, marks);
      else marks.addEverything();
    } catch (error) {
      this.#db.warnDamage(error);
      marks.addEverything();
    }
  }

  state(key: string): number {
    return Number(this.#first('SELECT value FROM state WHERE key = ?', key)?.value ?? 0);
  }

  setState(key: string, value: number): void {
    this.#db.statement('INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)').run(key, value);
  }

  #first(sql: string, parameter: number | string): Record<string, unknown> | undefined {
    return this.#db.read(() => {
      const row = this.#db.statement(sql).get(parameter);
      return row ? [row] : [];
    })[0];
  }
}

/** Stands for a resource or scope that cannot be read, so that the numbers of the others stay right. */
function lost(id: number): Buffer {
  // An attribute of an unknown field number: valid protobuf without meaning.
  return Buffer.from([0xfa, 0x01, 4, id & 255, (id >> 8) & 255, (id >> 16) & 255, id >>> 24]);
}

import type { Database } from '../database.ts';
import { type BlockSummary, decodeColumns, decodeSummary, type PackedBlock, type SearchColumns } from './block.ts';
import type { SpanCatalog } from './catalog.ts';
import type { Edge } from './dependencies.ts';
import { SpanGroup } from './group-codec.ts';
import { SPAN_KINDS } from './span-codec.ts';
import { FILTER_PARTS } from './tag-filter.ts';

const TAG_FILTERS = 'CREATE TABLE tag_filters (id INTEGER PRIMARY KEY, data BLOB)';

export const TRACES_SCHEMA = `
  ${TAG_FILTERS};
  CREATE TABLE resources (id INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE scopes (id INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE operations (id INTEGER PRIMARY KEY, service TEXT, name TEXT, kind INTEGER);
  CREATE TABLE blocks (id INTEGER PRIMARY KEY, max_us REAL, seq INTEGER, summary BLOB, edges TEXT);
  CREATE TABLE columns (block INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE groups (id INTEGER PRIMARY KEY, data BLOB);
  CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER)
`;

/** Groups of block b have the ids from b * GROUPS_PER_BLOCK on. */
const GROUPS_PER_BLOCK = 65_536;
const GROUP_CACHE_BYTES = 16 * 1024 * 1024;
const COLUMN_CACHE_ROWS = 300_000;

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
  readonly #columns = new Map<number, SearchColumns>();
  #columnRows = 0;
  #stored = { resources: 0, scopes: 0, operations: 0 };

  constructor(db: Database) {
    this.#db = db;
    if (this.#first('SELECT name FROM sqlite_schema WHERE name = ?', 'tag_filters')) return;
    // A file of before: its filters denied tags that their blocks had. Blocks without a filter are looked into.
    db.transaction(() => {
      db.statement(TAG_FILTERS).run();
      db.statement('DROP TABLE IF EXISTS blooms').run();
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
      db.statement('INSERT INTO columns (block, data) VALUES (?, ?)').run(id, block.columns);
      const insertFilter = db.statement('INSERT INTO tag_filters (id, data) VALUES (?, ?)');
      block.tags.forEach((part, i) => {
        insertFilter.run(id * FILTER_PARTS + i, part);
      });
      const insert = db.statement('INSERT INTO groups (id, data) VALUES (?, ?)');
      block.groups.forEach((group, i) => {
        insert.run(id * GROUPS_PER_BLOCK + i, group);
      });
    });
    this.#stored = stored;
  }

  deleteBlock(id: number): void {
    const db = this.#db;
    db.transaction(() => {
      db.statement('DELETE FROM groups WHERE id >= ? AND id < ?').run(
        id * GROUPS_PER_BLOCK,
        (id + 1) * GROUPS_PER_BLOCK,
      );
      db.statement('DELETE FROM tag_filters WHERE id >= ? AND id < ?').run(id * FILTER_PARTS, (id + 1) * FILTER_PARTS);
      db.statement('DELETE FROM columns WHERE block = ?').run(id);
      db.statement('DELETE FROM blocks WHERE id = ?').run(id);
    });
    this.#columns.delete(id);
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

  columns(block: number): SearchColumns | undefined {
    const cached = this.#columns.get(block);
    if (cached) {
      this.#columns.delete(block);
      this.#columns.set(block, cached);
      return cached;
    }
    const row = this.#first('SELECT data FROM columns WHERE block = ?', block);
    if (!row) return undefined;
    try {
      const columns = decodeColumns(row.data as Uint8Array);
      this.#columns.set(block, columns);
      this.#columnRows += columns.operation.length;
      for (const [oldest, entry] of this.#columns) {
        if (this.#columnRows <= COLUMN_CACHE_ROWS || oldest === block) break;
        this.#columns.delete(oldest);
        this.#columnRows -= entry.operation.length;
      }
      return columns;
    } catch (error) {
      this.#db.warnDamage(error);
      return undefined;
    }
  }

  /** A part of a block's filter of tags; undefined where the block has none. */
  tagFilter(block: number, part: number): Uint8Array | undefined {
    const row = this.#first('SELECT data FROM tag_filters WHERE id = ?', block * FILTER_PARTS + part);
    return row?.data as Uint8Array | undefined;
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

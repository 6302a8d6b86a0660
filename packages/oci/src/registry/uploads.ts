import { createWriteStream } from 'node:fs';
import { open, rm, stat, truncate } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ContentStore } from '../store/content-store.ts';
import { RegistryError } from './errors.ts';

const UPLOAD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Unfinished uploads: files that a client may go on with after a lost connection or a restart of the registry. */
export class UploadTable {
  readonly #store: ContentStore;
  readonly #writing = new Set<string>();

  constructor(store: ContentStore) {
    this.#store = store;
  }

  async start(): Promise<string> {
    const { id, path } = this.#store.newUploadPath();
    await (await open(path, 'wx')).close();
    return id;
  }

  path(id: string): string {
    if (!UPLOAD_ID.test(id)) throw unknownUpload(id);
    return join(this.#store.uploadsDirectory, id);
  }

  /** Bytes that arrived; throws BLOB_UPLOAD_UNKNOWN. */
  async size(id: string): Promise<number> {
    const info = await stat(this.path(id)).catch(() => undefined);
    if (!info) throw unknownUpload(id);
    return info.size;
  }

  /** Appends the body and gives the new size. A connection that breaks keeps what arrived; a body that is not as
   * long as its Content-Range says is taken back. */
  async append(id: string, body: IncomingMessage, expectedBytes?: number): Promise<number> {
    const before = await this.size(id);
    if (this.#writing.has(id))
      throw new RegistryError('BLOB_UPLOAD_INVALID', 'another request writes to this upload', { status: 409 });
    this.#writing.add(id);
    try {
      await pipeline(body, createWriteStream(this.path(id), { flags: 'a' }));
      const after = await this.size(id);
      if (expectedBytes !== undefined && after - before !== expectedBytes) {
        await truncate(this.path(id), before);
        throw new RegistryError('SIZE_INVALID', `the chunk has ${after - before} bytes, its range ${expectedBytes}`);
      }
      return after;
    } finally {
      this.#writing.delete(id);
    }
  }

  async cancel(id: string): Promise<void> {
    await this.size(id);
    await rm(this.path(id), { force: true });
  }
}

function unknownUpload(id: string): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', { detail: { id } });
}

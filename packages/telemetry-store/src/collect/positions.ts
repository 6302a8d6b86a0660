import { readFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '@kind-e2e/base';
import type { TailPosition } from './tail.ts';

/** Where each file was read to, kept in a small JSON file that is replaced as a whole. */
export class Positions {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #positions = new Map<string, TailPosition>();
  #dirty = false;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    try {
      const stored = JSON.parse(readFileSync(path, 'utf8')) as Record<string, TailPosition>;
      for (const [file, position] of Object.entries(stored))
        if (isPosition(position)) this.#positions.set(file, position);
    } catch {
      // None yet, or damaged: files are read from their beginning, and what is known already is not stored twice.
    }
  }

  get(file: string): TailPosition | undefined {
    return this.#positions.get(file);
  }

  set(file: string, position: TailPosition): void {
    const known = this.#positions.get(file);
    if (known?.inode === position.inode && known.offset === position.offset && known.lastNs === position.lastNs) return;
    this.#positions.set(file, position);
    this.#dirty = true;
  }

  delete(file: string): void {
    if (this.#positions.delete(file)) this.#dirty = true;
  }

  async save(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const temporary = `${this.#path}.new`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const handle = await open(temporary, 'w', 0o600);
      try {
        await handle.writeFile(JSON.stringify(Object.fromEntries(this.#positions)));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, this.#path);
    } catch (error) {
      this.#dirty = true;
      this.#logger.warn('positions in log files cannot be saved', { path: this.#path, error });
    }
  }
}

function isPosition({ inode, offset, lastNs }: Partial<TailPosition>): boolean {
  const isTime = lastNs === undefined || (typeof lastNs === 'string' && /^\d{1,20}$/.test(lastNs));
  return typeof inode === 'number' && typeof offset === 'number' && isTime;
}

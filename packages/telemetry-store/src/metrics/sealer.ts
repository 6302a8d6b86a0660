import type { Clock } from '@kind-e2e/base';
import type { MetricMetadata } from '@kind-e2e/telemetry';
import type { Database } from '../database.ts';
import type { Retention } from '../options.ts';
import type { WriteAheadLog } from '../wal/write-ahead-log.ts';
import type { ExemplarRing } from './exemplars.ts';
import type { MetricsFile } from './file.ts';
import type { Series } from './series.ts';

export interface MetricSealerOptions {
  readonly file: MetricsFile;
  readonly db: Database;
  readonly wal: WriteAheadLog;
  readonly exemplars: ExemplarRing<Series>;
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
  readonly series: () => Iterable<Series>;
  readonly remove: (series: Series) => void;
  readonly retention: Retention | undefined;
  readonly clock: Clock;
  readonly keepExemplars: number;
}

/** Series written in one transaction. */
const BATCH_SERIES = 64;
/** The write-ahead log may grow to this size before quiet series are sealed too. */
const MAX_WAL_BYTES = 24 * 1024 * 1024;
/** Waiting series beyond which writers wait. */
const MAX_QUEUE = 20_000;
const RETENTION_EVERY_MS = 60_000;
const RETENTION_BATCH = 50;

/** Moves samples from heads to the file in small transactions, trims the write-ahead log, and applies the retention. */
export class MetricSealer {
  readonly #options: MetricSealerOptions;
  #queue: { series: Series; whole: boolean }[] = [];
  #expiring: Series[] = [];
  #dirtyMetadata = new Set<string>();
  #retentionAt: number;
  #walCheckedAt = 0;
  #expireBefore = -Infinity;

  constructor(options: MetricSealerOptions) {
    this.#options = options;
    this.#retentionAt = options.clock.monotonic() + 5000;
  }

  /** A series took a sample; `full` where it has a closed chunk. */
  touched(series: Series, full: boolean): void {
    if (!full || series.queued) return;
    series.queued = true;
    this.#queue.push({ series, whole: false });
  }

  metadataChanged(metric: string): void {
    this.#dirtyMetadata.add(metric);
  }

  /** One small step; true where there is more to do. */
  step(): boolean {
    if (this.#queue.length > 0) {
      this.#sealBatch();
      return true;
    }
    if (this.#dirtyMetadata.size > 0) this.#writeMetadata();
    const now = this.#options.clock.monotonic();
    if (now - this.#walCheckedAt >= 1000) {
      this.#walCheckedAt = now;
      this.#trimLog();
      if (this.#queue.length > 0) return true;
    }
    if (this.#expiring.length > 0) {
      this.#expireBatch();
      return true;
    }
    if (this.#options.retention && now >= this.#retentionAt) {
      this.#retentionAt = now + RETENTION_EVERY_MS;
      this.#planExpiry(this.#options.retention);
      return this.#expiring.length > 0;
    }
    return false;
  }

  /** Makes writers wait for the sealer when it has fallen far behind. */
  async catchUp(): Promise<void> {
    while (this.#queue.length > MAX_QUEUE) {
      this.#sealBatch();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async sealAll(): Promise<void> {
    for (const series of this.#options.series()) if (series.firstSequence > 0) this.#enqueueWhole(series);
    while (this.#queue.length > 0) {
      this.#sealBatch();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#writeMetadata();
    this.#sealExemplars();
    this.#options.file.setState('last_sequence', this.#options.wal.sequence);
    this.#options.wal.removeThrough(this.#options.wal.sequence);
  }

  #enqueueWhole(series: Series): void {
    series.queued = true;
    this.#queue.push({ series, whole: true });
  }

  #sealBatch(): void {
    const { file } = this.#options;
    const batch = this.#queue.splice(0, BATCH_SERIES);
    const done: (() => void)[] = [];
    try {
      file.transaction(() => {
        for (const { series, whole } of batch) {
          const { chunks, sequence, maxTime, sealed } = series.toSeal(whole);
          if (chunks.length === 0) continue;
          const { id, labels, minTime, stored } = series;
          file.writeSeries({ id, labels, minTime, maxTime, sequence }, !stored);
          for (const chunk of chunks) file.writeChunk(series.id, chunk);
          done.push(sealed);
        }
      });
    } catch (error) {
      this.#queue.unshift(...batch);
      throw error;
    }
    for (const sealed of done) sealed();
    for (const { series } of batch) series.queued = false;
  }

  #writeMetadata(): void {
    const { file, metadata } = this.#options;
    const names = [...this.#dirtyMetadata];
    if (names.length === 0) return;
    file.transaction(() => {
      for (const name of names) {
        const known = metadata.get(name);
        if (known) file.writeMetadata(name, known);
      }
    });
    this.#dirtyMetadata.clear();
  }

  #sealExemplars(): void {
    const { file, exemplars, keepExemplars } = this.#options;
    const entries = exemplars.unsealed();
    const newest = entries.at(-1)?.sequence;
    if (newest === undefined) return;
    file.transaction(() => {
      for (const { series, exemplar } of entries)
        file.writeExemplar(series.id, exemplar.timestampMs, exemplar.value, exemplar.labels);
      file.setState('exemplar_sequence', newest);
      file.deleteOldExemplars(keepExemplars);
    });
    for (const entry of entries) entry.sequence = 0;
  }

  /** When the log is too large, whatever still needs its oldest segments is sealed; then they go. */
  #trimLog(): void {
    const { wal } = this.#options;
    const through = wal.sequenceBeyond(MAX_WAL_BYTES);
    if (through === 0) return;
    let needed = false;
    for (const series of this.#options.series()) {
      const first = series.firstSequence;
      if (first === 0 || first > through) continue;
      needed = true;
      if (!series.queued) this.#enqueueWhole(series);
    }
    if (needed) return;
    this.#sealExemplars();
    this.#options.file.setState('last_sequence', wal.sequence);
    wal.removeThrough(through);
  }

  #planExpiry(retention: Retention): void {
    const { db, clock } = this.#options;
    const cut = clock.now() - retention.maxAgeMs;
    const tooLarge = db.usedBytes > retention.maxBytes;
    for (const series of this.#options.series()) if (series.minTime < cut || tooLarge) this.#expiring.push(series);
    this.#expireBefore = cut;
    if (!tooLarge) return;
    // Too large: the oldest tenth of the time that the file spans goes as well.
    let oldest = Infinity;
    for (const series of this.#expiring) oldest = Math.min(oldest, series.minTime);
    this.#expireBefore = Math.max(cut, oldest + (clock.now() - oldest) / 10);
  }

  #expireBatch(): void {
    const { file, remove, db } = this.#options;
    const batch = this.#expiring.splice(0, RETENTION_BATCH);
    const gone: Series[] = [];
    file.transaction(() => {
      for (const series of batch) {
        if (!series.stored || series.minTime >= this.#expireBefore) continue;
        if (series.maxTime < this.#expireBefore && series.firstSequence === 0) {
          file.deleteSeries(series.id);
          gone.push(series);
        } else series.minTime = file.deleteChunksBefore(series.id, this.#expireBefore);
      }
    });
    for (const series of gone) remove(series);
    if (this.#expiring.length === 0) db.shrink(256);
  }
}

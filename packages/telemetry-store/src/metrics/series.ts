import type { Labels, NativeHistogram, SampleSeries } from '@kind-e2e/telemetry';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Labelled } from '../label-index.ts';
import { decodeSamples, MAX_CHUNK_SAMPLES, SampleChunk } from './chunk.ts';
import type { Decoded, DecodedSeries } from './decoded-series.ts';
import { writeHistogram } from './histogram-codec.ts';
import {
  type ClosedChunk,
  FLOAT_CHUNK,
  HISTOGRAM_CHUNK,
  joinChunks,
  type LooseSample,
  PACKED_CHUNK,
} from './join-chunks.ts';
import { packSamples } from './packed-chunk.ts';

/** Sealed chunks of a series that stay in memory, so that queries of the last hour need no file. */
const RECENT_CHUNKS = 2;
const MAX_HEAD_HISTOGRAMS = 64;
const MAX_LOOSE = 512;

/** One series: its open chunk, what waits to be sealed, and what it knows about the chunks on disk. */
export class Series implements Labelled {
  readonly id: number;
  readonly labels: Labels;
  rank = 0;
  /** Whether its label set is in the file. */
  stored: boolean;
  /** Range of all samples, on disk too. */
  minTime = Infinity;
  maxTime = -Infinity;
  /** Newest time that is sealed. A replay must not take the head's samples for known ones because of it. */
  sealedMaxTime = -Infinity;
  /** Newest time of the chunks that are only on disk. */
  diskMaxTime = -Infinity;
  /** Every record of the write-ahead log up to this one is sealed, as far as this series goes. */
  sealedSequence = 0;
  /** Set while the series waits for the sealer. */
  queued = false;
  /** Set when the retention has taken the series away. */
  removed = false;
  #head: SampleChunk | undefined;
  #closed: SampleChunk[] = [];
  #recent: ClosedChunk[] = [];
  /** Samples that came out of order, and histograms, uncoded. */
  #loose: LooseSample[] = [];
  #histograms: LooseSample[] = [];
  #looseFirstSequence = 0;
  #lastSequence = 0;
  /** Counts changes, so that what was decoded before one is not used after it. */
  #version = 0;
  /** Kept by `DecodedSeries`. */
  decoded: Decoded | undefined;

  constructor(id: number, labels: Labels, stored: boolean) {
    this.id = id;
    this.labels = labels;
    this.stored = stored;
  }

  /** 0 where everything is sealed. */
  get firstSequence(): number {
    const chunk = this.#closed[0]?.firstSequence ?? this.#head?.firstSequence ?? 0;
    if (this.#looseFirstSequence === 0) return chunk;
    return chunk === 0 ? this.#looseFirstSequence : Math.min(chunk, this.#looseFirstSequence);
  }

  /** Why a sample cannot be taken; undefined where it can. `duplicate` means it is here already. */
  refusal(time: number, value: number, oldest: number): 'duplicate' | string | undefined {
    if (time > this.maxTime) return undefined;
    if (time === this.maxTime) {
      const last = this.#head?.lastValue;
      if (last === undefined || last === value || (Number.isNaN(last) && Number.isNaN(value))) return 'duplicate';
      return 'duplicate sample for timestamp';
    }
    if (time < oldest) return 'out of order sample';
    return this.#loose.some((sample) => sample.time === time) ? 'duplicate' : undefined;
  }

  /** Takes a sample that `refusal` let through. True when the series has something worth sealing. */
  append(
    time: number,
    value: number,
    stale: boolean,
    histogram: NativeHistogram | undefined,
    sequence: number,
  ): boolean {
    let full = false;
    this.#version++;
    if (histogram) {
      if (this.#looseFirstSequence === 0) this.#looseFirstSequence = sequence;
      this.#histograms.push({ time, value: 0, stale, histogram });
      full = this.#histograms.length >= MAX_HEAD_HISTOGRAMS;
    } else if (time > this.maxTime) {
      let head = this.#head;
      // Chunks end between records of the log, so that a replay knows of each record whether it is sealed.
      if (head && head.count >= MAX_CHUNK_SAMPLES && head.lastSequence !== sequence) {
        head.close();
        this.#closed.push(head);
        head = undefined;
        full = true;
      }
      this.#head = head ??= new SampleChunk();
      head.append(time, value, stale, sequence);
    } else {
      if (this.#looseFirstSequence === 0) this.#looseFirstSequence = sequence;
      this.#loose.push({ time, value, stale });
      full = this.#loose.length >= MAX_LOOSE;
    }
    if (time > this.maxTime) this.maxTime = time;
    if (time < this.minTime) this.minTime = time;
    this.#lastSequence = sequence;
    return full;
  }

  /**
   * What must be written to seal the series, with the open chunk where `whole`, and the record number up to which
   * everything is then sealed. Changes nothing: `sealed` does, once it is on disk.
   */
  toSeal(whole: boolean): { chunks: ClosedChunk[]; sequence: number; maxTime: number; sealed: () => void } {
    const closed = [...this.#closed];
    const head = whole && this.#head && this.#head.count > 0 ? this.#head : undefined;
    if (head) closed.push(head);
    const chunks = closed.map((chunk) => packed(asClosed(chunk)));
    const coded = chunks.length;
    chunks.push(...encodeLoose(this.#loose), ...encodeHistograms(this.#histograms));
    const remaining = head ? undefined : this.#head;
    const sequence = remaining ? remaining.firstSequence - 1 : this.#lastSequence;
    const loose = this.#loose.length;
    const histograms = this.#histograms.length;
    const maxTime = chunks.reduce((newest, chunk) => Math.max(newest, chunk.maxTime), this.sealedMaxTime);
    const sealed = (): void => {
      this.sealedMaxTime = maxTime;
      this.#closed = [];
      if (head) this.#head = undefined;
      this.#loose = this.#loose.slice(loose);
      this.#histograms = this.#histograms.slice(histograms);
      this.#looseFirstSequence = 0;
      this.stored = true;
      this.sealedSequence = sequence;
      for (const chunk of chunks.slice(coded)) this.diskMaxTime = Math.max(this.diskMaxTime, chunk.maxTime);
      this.#recent.push(...chunks.slice(0, coded));
      while (this.#recent.length > RECENT_CHUNKS) {
        const oldest = this.#recent.shift();
        if (oldest) this.diskMaxTime = Math.max(this.diskMaxTime, oldest.maxTime);
      }
    };
    return { chunks, sequence, maxTime, sealed };
  }

  /** Lets go of memory that a quiet series need not hold. */
  dropRecent(): void {
    for (const chunk of this.#recent) this.diskMaxTime = Math.max(this.diskMaxTime, chunk.maxTime);
    this.#recent = [];
  }

  /** Samples from `start` to `end`, both inclusive; undefined where there are none. */
  read(
    start: number,
    end: number,
    fromDisk: () => readonly ClosedChunk[],
    damaged: (error: unknown) => void,
    decoded: DecodedSeries,
  ): SampleSeries | undefined {
    if (this.minTime > end || this.maxTime < start) return undefined;
    const known = this.decoded;
    if (known !== undefined && known.version === this.#version && start >= known.from && end <= known.to)
      return decoded.cut(this.labels, known, start, end);
    const needsDisk = this.diskMaxTime >= start;
    const parts: ClosedChunk[] = needsDisk ? [...fromDisk()] : [];
    const covered = new Set(parts.map((part) => part.minTime));
    for (const chunk of this.#recent) if (!covered.has(chunk.minTime)) parts.push(chunk);
    for (const chunk of this.#closed) parts.push(asClosed(chunk));
    if (this.#head && this.#head.count > 0) parts.push(asClosed(this.#head));
    const wanted = parts.filter((part) => part.maxTime >= start && part.minTime <= end);
    const loose = [...this.#loose, ...this.#histograms];
    const isWhole = !needsDisk && this.diskMaxTime === -Infinity && wanted.length === parts.length;
    const now = decoded.keep(this, joinChunks(wanted, loose, damaged), {
      version: this.#version,
      from: isWhole ? -Infinity : start,
      to: end >= this.maxTime ? Infinity : end,
    });
    return decoded.cut(this.labels, now, start, end);
  }
}

function asClosed(chunk: SampleChunk): ClosedChunk {
  return {
    kind: FLOAT_CHUNK,
    minTime: chunk.minTime,
    maxTime: chunk.maxTime,
    count: chunk.count,
    data: chunk.encoded(),
  };
}

const scratchTimes = new Float64Array(4 * MAX_CHUNK_SAMPLES);
const scratchValues = new Float64Array(4 * MAX_CHUNK_SAMPLES);

/** In the coding of sealed chunks where the samples fit it and it is smaller. */
function packed(chunk: ClosedChunk): ClosedChunk {
  const { count, data } = chunk;
  if (count > scratchTimes.length) return chunk;
  decodeSamples(data, count, scratchTimes, scratchValues, 0);
  const bytes = packSamples(scratchTimes, scratchValues, count);
  return bytes === undefined || bytes.length >= data.length ? chunk : { ...chunk, kind: PACKED_CHUNK, data: bytes };
}

function encodeLoose(loose: readonly LooseSample[]): ClosedChunk[] {
  if (loose.length === 0) return [];
  const chunk = new SampleChunk();
  let before = -Infinity;
  for (const sample of [...loose].sort((a, b) => a.time - b.time)) {
    if (sample.time === before) continue;
    before = sample.time;
    chunk.append(sample.time, sample.value, sample.stale, 0);
  }
  return [packed(asClosed(chunk))];
}

function encodeHistograms(samples: readonly LooseSample[]): ClosedChunk[] {
  if (samples.length === 0) return [];
  const sorted = [...samples].sort((a, b) => a.time - b.time);
  const out = new ByteWriter(4096);
  let before = 0;
  for (const { time, histogram } of sorted) {
    if (!histogram) continue;
    out.zigzag(time - before);
    writeHistogram(out, histogram);
    before = time;
  }
  return [
    {
      kind: HISTOGRAM_CHUNK,
      minTime: sorted[0]?.time ?? 0,
      maxTime: sorted.at(-1)?.time ?? 0,
      count: sorted.length,
      data: out.copy(),
    },
  ];
}

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { Backoff, type Clock, type Logger, messageOf } from '@kind-e2e/base';
import { SNAPSHOT_FORMAT, type Snapshot } from '../snapshot/snapshot.ts';

export interface FollowOptions {
  /** `http://127.14.0.10:15010` */
  readonly address: string;
  /** Read anew for each connection: service account tokens are renewed. */
  readonly token: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** File of the last snapshot, mode 0600, used until the first one comes. */
  readonly cacheFile?: string;
  readonly signal?: AbortSignal;
}

const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** The server sends an empty line at least every 15 s. */
const SILENCE_MS = 45_000;

/** Snapshots from the control plane, for ever: the cached one first, then each new one; connects again when cut off. */
export async function* followSnapshots(options: FollowOptions): AsyncGenerator<Snapshot> {
  const { logger, clock, signal } = options;
  let version: string | undefined;
  const cached = options.cacheFile === undefined ? undefined : readCache(options.cacheFile, logger);
  if (cached) {
    version = cached.version;
    yield cached;
  }
  const backoff = new Backoff({ initialMs: 50, maxMs: 2_000 });
  while (!signal?.aborted) {
    try {
      for await (const line of openStream(options)) {
        if (line === '') continue;
        const snapshot = JSON.parse(line) as Snapshot;
        backoff.reset();
        if (snapshot.format !== SNAPSHOT_FORMAT) {
          logger.error('snapshot of another format', { format: snapshot.format });
          continue;
        }
        if (snapshot.version === version) continue;
        version = snapshot.version;
        yield snapshot;
        if (options.cacheFile !== undefined) writeCache(options.cacheFile, line, logger);
      }
    } catch (error) {
      logger.warn('discovery is away, the last snapshot stays in force', { reason: messageOf(error) });
    }
    await clock.sleep(backoff.next(), signal).catch(() => {});
  }
}

async function* openStream(options: FollowOptions): AsyncGenerator<string> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      `${options.address}/v1/snapshots`,
      {
        headers: { authorization: `Bearer ${options.token()}`, accept: 'application/x-ndjson' },
        ...(options.signal ? { signal: options.signal } : {}),
      },
      resolve,
    );
    outgoing.setTimeout(SILENCE_MS, () => outgoing.destroy(new Error('discovery went silent')));
    outgoing.on('error', reject);
    outgoing.end();
  });
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`discovery answered ${response.statusCode}`);
  }
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      pieces.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(pieces).toString('utf8');
      pieces = [];
      bytes = 0;
      yield line;
    }
    pieces.push(rest);
    bytes += rest.length;
    if (bytes > MAX_LINE_BYTES) throw new Error('snapshot too large');
  }
}

function readCache(file: string, logger: Logger): Snapshot | undefined {
  try {
    const snapshot = JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
    return snapshot.format === SNAPSHOT_FORMAT ? snapshot : undefined;
  } catch (error) {
    logger.debug('no snapshot kept from before', { file, reason: messageOf(error) });
    return undefined;
  }
}

function writeCache(file: string, line: string, logger: Logger): void {
  try {
    const next = `${file}.next`;
    writeFileSync(next, line, { mode: 0o600 });
    renameSync(next, file);
  } catch (error) {
    logger.warn('snapshot could not be kept', { file, reason: messageOf(error) });
  }
}

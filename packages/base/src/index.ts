export {
  type AddressPlan,
  appAddressOf,
  createAddressPlan,
  DNS_PORT,
  FIRST_BLOCK,
  LAST_BLOCK,
  LAST_LAB_BLOCK,
  outboundAddressOf,
} from './addresses.ts';
export { Backoff, type BackoffOptions } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { Disposer } from './dispose.ts';
export { type ErrorSide, EXIT_CODES, LabError, type LabErrorOptions, messageOf, systemCodeOf } from './errors.ts';
export { FakeClock } from './fake-clock.ts';
export {
  createLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from './logger.ts';
export { createGarbageCollector, MemoryTrimmer, type MemoryTrimmerOptions } from './memory-trimmer.ts';
export { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

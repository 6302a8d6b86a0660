import { type Milliseconds, milliseconds } from '../units/brands.ts';

/** The one place of the console that reads the wall clock or sets a timer. */
export const clock = {
  now: (): Milliseconds => milliseconds(Date.now()),
  /** Calls every `ms`; the result stops it. */
  every(ms: number, call: () => void): () => void {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  },
  /** Calls once after `ms`; the result cancels it. */
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

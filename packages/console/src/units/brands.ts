/** Branded numbers, so that milliseconds cannot stand where microseconds are meant. */
declare const unit: unique symbol;

export type Microseconds = number & { readonly [unit]: 'us' };
export type Milliseconds = number & { readonly [unit]: 'ms' };
export type Seconds = number & { readonly [unit]: 's' };

export const microseconds = (value: number): Microseconds => value as Microseconds;
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
export const seconds = (value: number): Seconds => value as Seconds;

export const usToMs = (value: Microseconds): Milliseconds => milliseconds(value / 1000);
export const msToUs = (value: Milliseconds): Microseconds => microseconds(value * 1000);
export const msToSeconds = (value: Milliseconds): Seconds => seconds(value / 1000);
export const secondsToMs = (value: Seconds): Milliseconds => milliseconds(value * 1000);

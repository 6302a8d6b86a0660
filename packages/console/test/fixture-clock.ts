/**
 * The clock of the fixture: the wall clock, moved by `KIND_E2E_FIXTURE_OFFSET_S` seconds. The data of the fixture follow from
 * the time, so the tests run with it at several offsets to prove that they hold at any time of day; the browser's `Date` is
 * moved by the same amount.
 */
export const FIXTURE_OFFSET_MS = Number(process.env.KIND_E2E_FIXTURE_OFFSET_S ?? 0) * 1000;

export const nowMs = (): number => Date.now() + FIXTURE_OFFSET_MS;
export const nowSecond = (): number => nowMs() / 1000;

/** Runs in the page, before its own scripts: `Date` there tells the fixture's time. */
export function shiftBrowserDate(offsetMs: number): void {
  const Real = Date;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [Real.now() + offsetMs] : args, newTarget) as Date,
    get: (target, key) => (key === 'now' ? () => Real.now() + offsetMs : Reflect.get(target, key)),
  });
}

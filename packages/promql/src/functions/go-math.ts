/** Where Go's math package rounds otherwise than JavaScript's: the last digit of an answer is to be Prometheus'. */

/** log2 and log10 as Go's math package reckons them, so that the last digits agree. */
export function log2(value: number): number {
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) return Math.log2(value);
  let exponent = Math.max(-1022, Math.floor(Math.log2(value)) + 1);
  let fraction = value / 2 ** exponent;
  if (fraction >= 1) {
    fraction /= 2;
    exponent += 1;
  } else if (fraction < 0.5) {
    fraction *= 2;
    exponent -= 1;
  }
  return fraction === 0.5 ? exponent - 1 : Math.log(fraction) * (1 / Math.LN2) + exponent;
}

export function log10(value: number): number {
  return log2(value) * (Math.LN2 / Math.LN10);
}

const LN2_HIGH = 0.693_147_180_369_123_8;
const LN2_LOW = 1.908_214_929_270_587_7e-10;

/** math.Exp2 (src/math/exp.go, after FreeBSD's e_exp.c): a power of two times the exponential of what is left. */
export function exp2(x: number): number {
  if (!Number.isFinite(x) || x > 1023 || x < -1000) return 2 ** x;
  const whole = Math.trunc(x > 0 ? x + 0.5 : x - 0.5);
  const rest = x - whole;
  const high = rest * LN2_HIGH;
  const low = -rest * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const series =
    0.166_666_666_666_666_66 +
    t *
      (-0.002_777_777_777_701_559_3 +
        t * (6.613_756_321_437_934e-5 + t * (-1.653_390_220_546_525_2e-6 + t * 4.138_136_797_057_238_5e-8)));
  const c = r - t * series;
  return (1 - (low - (r * c) / (2 - c) - high)) * 2 ** whole;
}

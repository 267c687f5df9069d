// A scale tells where in [0, 1] a value lies on its axis, and which values the axis names.

import { formatPower, formatShort } from "../base/format.js";

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} position value → place on the axis, 0 at its start, 1 at its end
 * @property {(position: number) => number} value the inverse
 * @property {(room: number) => {value: number, label: string}[]} ticks about one tick for every 60 px of `room`
 */

/** @returns {Scale} */
export function linear(low, high) {
  const span = high - low;
  return {
    position: (value) => (value - low) / span,
    value: (position) => low + position * span,
    ticks: (room) => niceTicks(low, high, Math.max(2, room / 55)).map((value) => ({ value, label: formatShort(value) })),
  };
}

/** @returns {Scale} */
export function logarithmic(low, high) {
  const from = Math.log10(low);
  const span = Math.log10(high) - from;
  return {
    position: (value) => (value > 0 ? (Math.log10(value) - from) / span : -Infinity),
    value: (position) => 10 ** (from + position * span),
    ticks: (room) => {
      const first = Math.ceil(from - 1e-9);
      const last = Math.floor(from + span + 1e-9);
      const stride = Math.max(1, Math.ceil((last - first) / Math.max(2, room / 34)));
      const ticks = [];
      if (span < 1.5) {
        for (let power = first - 1; power <= last; power++) {
          for (const factor of [1, 2, 5]) {
            const value = factor * 10 ** power;
            if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push({ value, label: formatShort(value) });
          }
        }
        return ticks;
      }
      for (let power = first; power <= last; power++) {
        if (power % stride === 0) ticks.push({ value: 10 ** power, label: formatPower(power) });
      }
      return ticks;
    },
  };
}

const [ZERO, BEFORE] = [0.02, 0.12]; // of an axis: where 0 stands, and what is kept for it

/** A logarithmic axis from `first` to `last` with 0 before it. @returns {Scale} */
export function logarithmicFromZero(first, last) {
  const { position, value, ticks } = logarithmic(first, last);
  return {
    position: (x) => (x < first ? ZERO : BEFORE + (1 - BEFORE) * position(x)),
    value: (place) => (place < BEFORE / 2 ? 0 : value((Math.max(place, BEFORE) - BEFORE) / (1 - BEFORE))),
    ticks: (room) => [{ value: 0, label: "0" }, ...ticks((1 - BEFORE) * room)],
  };
}

/** @type {[number, string][]} */
const CLOCK_TICKS = [[0, "0"], [0.25, "¼"], [0.5, "½"], [1, "1"], [2, "2"], [4, "4"], [10, "10"], [Infinity, "∞"]];

/** All times from 0 to ∞ on one axis: x/(1 + x). @returns {Scale} */
export function clock() {
  return {
    position: (x) => (x === Infinity ? 1 : x / (1 + x)),
    value: (position) => clockTime(position),
    ticks: (room) =>
      CLOCK_TICKS.filter(([value]) => room > 260 || ![0.25, 10].includes(value)).map(([value, label]) => ({ value, label })),
  };
}

/** The time that a place on the clock axis stands for: 0 → 0, ½ → 1, 1 → ∞. */
export function clockTime(position) {
  return position >= 1 ? Infinity : Math.max(position, 0) / (1 - Math.max(position, 0));
}

/** Round numbers from low to high, about `count` of them. */
export function niceTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= high / step + 1e-9; i++) ticks.push(i * step + 0);
  return ticks;
}

/** The smallest of 1, 2, 5, 10, … that is at least `size`. */
export function niceCeiling(size) {
  if (!(size > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(size));
  return power * ([1, 2, 5].find((factor) => factor * power >= size * (1 - 1e-12)) ?? 10);
}

/** The ends of a logarithmic axis for ratios: 0.1 and 1000 where that holds them all, else further powers of 1000. */
export function decades(ratios) {
  const present = ratios.filter((ratio) => ratio > 0);
  const least = Math.min(...present);
  const top = Math.ceil(Math.log10(Math.max(...present)) / 3 - 1e-9);
  const bottom = Math.ceil(-Math.log10(least) / 3 - 1e-9);
  return [least < 0.1 ? 1000 ** -bottom : 0.1, 1000 ** Math.max(top, 1)];
}

// A parameter's value and its place on its slider.

/**
 * A parameter as a table has it, where its values are places in a list of what there is.
 * @param {import("./catalogue.js").Specification} specification
 * @param {unknown[] | undefined} levels
 */
export function levelled(specification, levels) {
  return levels ? { ...specification, scale: "linear", integer: true, min: 0, max: levels.length - 1 } : specification;
}

/** Where on its slider (0…1) a value lies. */
export function toPosition({ scale, min, max }, value) {
  if (scale === "log") return Math.log(value / min) / Math.log(max / min);
  return (value - min) / (max - min);
}

/** The value at a place (0…1) of the slider. */
export function fromPosition({ scale, min, max }, position) {
  if (scale === "log") return min * (max / min) ** position;
  return min + (max - min) * position;
}

/** The value `count` steps further on the parameter's own grid, never outside its range. */
export function stepped({ scale, min, max, step }, value, count) {
  const [from, low, high] = scale === "log" ? [value, min, max].map(Math.log10) : [value, min, max];
  const places = Math.round(from / step) + count;
  const next = Math.min(Math.max(Number((places * step).toPrecision(12)), low), high);
  return scale === "log" ? 10 ** next : next;
}

/** Whether two settings differ by more than the rounding of a slider. */
export function differ(a, b) {
  return Math.abs(a - b) > 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}
